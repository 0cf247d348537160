import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { createToken } from '../../../src/server/identity/gateway-token.ts'
import { fakeUpstream } from '../../../src/simulator/server.ts'
import { runCommand, startGateway, workFolder } from '../../support/gateway-process.ts'
import { routes } from '../../support/questions.ts'

test('no token is kept, logged, told or sent on, whether it is right or wrong', async (t) => {
  const upstream = await fakeUpstream()
  t.after(() => upstream.close())
  const folder = workFolder()
  const bootstrap = 'bootstrap-canary-0123456789-0123456789'
  const env = { SLUICE_BOOTSTRAP_TOKEN: bootstrap }
  const gateway = await startGateway(
    ['--auth', 'tokens', '--structured-logging', '--log-level', 'debug', '--answers'].concat([
      '--anthropic-base-url',
      upstream.url,
      '--openai-base-url',
      upstream.url,
    ]),
    { folder, env },
  )
  t.after(() => gateway.stop('SIGKILL'))
  const api = { SLUICE_URL: gateway.url, SLUICE_TOKEN: bootstrap }
  const run = (...args: string[]) => runCommand(args, { folder, env: api })
  assert.equal((await run('users', 'add', 'ann', '--role', 'owner')).code, 0)
  const token = (await run('tokens', 'create', 'ann', '--name', 'first')).stdout.trim()
  assert.match(token, /^sluice_/)

  const wrong = createToken()
  const told: string[] = []
  const places = (text: string) => [
    { 'x-sluice-token': text },
    { 'coder-session-token': text },
    { 'x-coder-ai-governance-token': text, authorization: 'Bearer sk-mine-0123456789' },
    { authorization: `Bearer ${text}` },
    { 'x-api-key': text },
    {
      'x-sluice-token': text,
      cookie: `t=${text}`,
      'x-sluice-repo': `https://x:${text}@git.example/a`,
    },
  ]
  for (const text of [token, wrong, bootstrap]) {
    for (const headers of places(text)) {
      for (const { path, ask } of Object.values(routes)) {
        upstream.next(text === bootstrap ? { status: 401, raw: '{"error":{"message":"no"}}' } : {})
        const body = JSON.stringify({ ...ask, stream: text === token })
        const reply = await fetch(gateway.url + path, {
          method: 'POST',
          headers: { 'content-type': 'application/json', ...headers },
          body,
        })
        told.push(JSON.stringify([...reply.headers]) + (await reply.text()))
      }
      for (const path of [
        '/api/v2/users',
        '/api/v2/tokens',
        '/api/v2/users/me',
        '/metrics',
        '/readyz',
        '/api/v2/aibridge/interceptions?limit=1000',
        '/api/v2/nothing',
      ]) {
        const reply = await fetch(gateway.url + path, { headers })
        told.push(await reply.text())
      }
    }
  }
  const listed = await run('tokens', 'list', '--output', 'json')
  assert.equal(JSON.parse(listed.stdout).length, 2)
  told.push(listed.stdout, listed.stderr)
  const before = filesIn(folder)
  await gateway.stop()
  const { stdout, stderr } = gateway.output()
  assert.match(stderr, /"record_type":"interception_end"/)
  const seen = [
    ...before,
    ...filesIn(folder),
    { name: 'standard output', text: stdout },
    { name: 'standard error', text: stderr },
    ...told.map((text, at) => ({ name: `answer ${at}`, text })),
    ...upstream.requests.map(({ url, rawHeaders }) => ({
      name: 'upstream',
      text: `${url} ${rawHeaders.join(' ')}`,
    })),
  ]
  assert.ok(upstream.requests.length > 30)
  for (const secret of [token, wrong, bootstrap])
    for (const { name, text } of seen)
      assert.ok(!text.includes(secret.slice(8, 30)), `${name} holds a token`)
})

function filesIn(folder: string): { name: string; text: string }[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => ({ name, text: readFileSync(join(parentPath, name), 'latin1') }))
}
