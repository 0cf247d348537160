import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { openai } from '../src/core/providers/openai.ts'
import { withoutSecrets, withoutUrlCredentials } from '../src/core/secrets.ts'
import { createToken } from '../src/server/identity/gateway-token.ts'
import { fakeUpstream, type Reply } from '../src/simulator/server.ts'
import { runCommand, startGateway } from './support/gateway-process.ts'
import { routes } from './support/questions.ts'

/** Whatever holds this text was copied from a credential; a masked one does not. */
const mark = '-canary-'
const canary = (place: string) => `sk-x${mark}${place}-0123456789`

const headers = [
  ['Authorization', `Bearer ${canary('bearer')}`],
  ['x-api-key', canary('x-api-key')],
  ['api-key', canary('api-key')],
  ['x-goog-api-key', canary('goog')],
  ['Cookie', `a=1; session=${canary('cookie')}`],
  ['Proxy-Authorization', `Basic ${Buffer.from(`me:${canary('proxy')}`).toString('base64')}`],
  ['Coder-Session-Token', canary('coder-session')],
  ['X-Coder-AI-Governance-Token', canary('governance')],
  ['X-Sluice-Token', canary('sluice')],
  ['X-Sluice-Repo', `https://me:${canary('repo')}@git.example/a/b`],
  ['X-My-Secret', canary('own-header')],
  ['content-type', 'application/json'],
].flat()
const search = `?api_key=${canary('query')}&token=${encodeURIComponent(canary('query/2'))}`
const key = canary('provider-key')
const password = canary('password')

/** All that a careless provider could repeat. */
function repliesTo(sent: readonly string[]) {
  const message = [
    ...sent.filter((_, at) => at % 2 === 1),
    search,
    canary('query/2'),
    canary('proxy'),
    key,
    password,
    `http://user:${password}@127.0.0.1/v1`,
  ].join(' | ')
  const body = { error: { type: 'authentication_error', code: 'invalid_api_key', message } }
  const event = JSON.stringify({ type: 'error', ...body })
  return [
    { stream: true, reply: {} },
    { stream: false, reply: { status: 401, raw: JSON.stringify(body) } },
    { stream: false, reply: { status: 400, raw: message } },
    { stream: false, reply: { raw: JSON.stringify(body) } },
    { stream: true, reply: { raw: `event: error\ndata: ${event}\n\n` } },
    { stream: true, reply: { cut: 2 } },
    { stream: true, reply: { cut: true } },
  ] satisfies { stream: boolean; reply: Reply }[]
}

test('no credential is kept, logged or told, wherever a request carries one', async (t) => {
  const upstream = await fakeUpstream()
  t.after(() => upstream.close())
  const settings = mkdtempSync(join(tmpdir(), 'sluice-config-'))
  const config = join(settings, 'sluice.config.json')
  const baseUrl = upstream.url.replace('//', `//user:${password}@`)
  const providers = ['anthropic', 'openai'].map((type) => ({ name: type, type, baseUrl, key }))
  const away = { name: 'away', type: 'openai', baseUrl: `http://user:${password}@127.0.0.1:1`, key }
  writeFileSync(config, JSON.stringify({ providers: [...providers, away] }))

  const args = ['--config', config, '--structured-logging', '--log-level', 'debug', '--answers']
  const gateway = await startGateway(args)
  after(() => gateway.stop('SIGKILL'))
  const send = (call: Call) => replyTo(gateway.url, call)
  const told: string[] = []
  const get = async (path: string) => {
    const answer = await fetch(`${gateway.url}${path}`, {
      headers: { 'x-sluice-token': canary('sluice') },
    })
    told.push(await answer.text())
    return told.at(-1) ?? ''
  }

  for (const own of [true, false]) {
    const sent = own ? headers : headers.slice(4)
    for (const { stream, reply } of repliesTo(sent)) {
      for (const { path, ask } of Object.values(routes)) {
        upstream.next(reply)
        const call = { path: `${path}${search}`, headers: sent }
        const secretBody = {
          mcp_servers: [{ url: 'https://a.example', authorization_token: canary('mcp') }],
        }
        const answer = await send({ ...call, body: { ...ask, ...secretBody, stream } })
        // What the provider itself says goes to the client untouched.
        if (!('raw' in reply)) told.push(answer)
      }
    }
  }
  for (const [path, body] of [
    ['/away/v1/responses', routes.responses.ask],
    ['/openai/v1/nowhere', {}],
    ['/away/v1/models', {}],
    ['/openai/v1/responses', 'no JSON'],
  ] as const) {
    const method = path.endsWith('models') ? 'GET' : 'POST'
    told.push(await send({ path: path + search, method, headers, body }))
  }

  const count = repliesTo([]).length * 3 * 2 + 1
  const list = JSON.parse(await get('/api/v2/aibridge/interceptions?limit=1000')) as {
    count: number
    results: { id: string; error_message: string | null; credential_hint: string }[]
  }
  assert.equal(list.count, count)
  for (const { id } of list.results) await get(`/api/v2/aibridge/interceptions/${id}`)
  for (const path of ['/', '/readyz', '/metrics', '/api/v2/aibridge/nothing']) await get(path)

  // With the gateway up, so that what is only in the write-ahead log is seen, too; then again.
  const before = filesIn(gateway.folder)
  assert.ok(before.some(({ name }) => name.endsWith('.db-wal')))
  await gateway.stop()
  const { stdout, stderr } = gateway.output()
  const places = [
    ...before,
    ...filesIn(gateway.folder),
    { name: 'standard output', text: stdout },
    { name: 'standard error', text: stderr },
    ...told.map((text, at) => ({ name: `answer ${at}`, text })),
  ]
  assert.ok(stderr.split('"record_type":"interception_end"').length > count)
  for (const { name, text } of places) {
    const at = text.indexOf(mark)
    assert.equal(at, -1, `${name}: …${text.slice(Math.max(0, at - 200), at + 60)}`)
    assert.ok(!text.includes(Buffer.from(`me:${canary('proxy')}`).toString('base64')), name)
  }
  const hints = new Set(list.results.map((each) => each.credential_hint))
  assert.deepEqual(hints, new Set(['sk-x...6789']))
  // Masked, and the rest of the message as it was.
  const messages = list.results.map((each) => each.error_message ?? '')
  assert.ok(messages.some((message) => message.includes('sk-x...6789 | sk-x...6789 |')))
})

test('faults of the configuration show no credential', async () => {
  const url = `ftp://user:${password}@a.example`
  const flags = ['--anthropic-base-url', url, '--openai-base-url', url, '--store', url]
  const { code, stderr } = await runCommand(['serve', '--port', '0', ...flags])
  assert.equal(code, 1)
  assert.match(stderr, /--anthropic-base-url: must be/)
  assert.ok(!stderr.includes(mark), stderr)
  assert.throws(
    () => openai({ baseUrl: url }),
    ({ message }: Error) => message.includes('ftp://…@a.example') && !message.includes(mark),
  )
})

test('a gateway token in what a provider says is masked, though none was sent to it', () => {
  const token = createToken()
  const places = { headers: [], search: '', provider: openai({ baseUrl: 'https://a.example' }) }
  const said = withoutSecrets(`the key ${token}, or "${token}"`, places)
  assert.equal(said, `the key slui...${token.slice(-4)}, or "slui...${token.slice(-4)}"`)
})

test('words that are no credentials stay as they are', () => {
  const provider = openai({ baseUrl: 'https://user:pass%2Fword1@a.example' })
  const places = { headers: ['Authorization', 'Bearer abc', 'x-api-key', ''], search: '', provider }
  const text = 'Bearer abc: key is too short, at https://a.example/@b, mail me@a.example'
  assert.equal(withoutSecrets(text, places), text)
  assert.equal(withoutSecrets('pass/word1 pass%2Fword1', places), 'pa...d1 pa...d1')
  assert.equal(withoutUrlCredentials('mongodb+srv://a:b@c/d?e=@f'), 'mongodb+srv://…@c/d?e=@f')
})

interface Call {
  readonly path: string
  readonly method?: string
  readonly headers: readonly string[]
  readonly body: unknown
}

/** Headers and body of the reply, as far as it came. */
function replyTo(url: string, { path, method = 'POST', headers, body }: Call): Promise<string> {
  return new Promise((resolve) => {
    let text = ''
    const done = () => resolve(text)
    const host = ['host', new URL(url).host]
    const call = request(url + path, { method, headers: [...headers, ...host] }, (reply) => {
      text += `${reply.rawHeaders.join('\n')}\n`
      reply.on('data', (chunk) => {
        text += chunk
      })
      reply.on('close', done).on('error', done)
    })
    call.on('error', done)
    call.end(typeof body === 'string' ? body : JSON.stringify(body))
  })
}

function filesIn(folder: string): { name: string; text: string }[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => ({ name, text: readFileSync(join(parentPath, name), 'latin1') }))
}
