import assert from 'node:assert/strict'
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { settings } from '../../src/server/settings.ts'
import { type FakeUpstream, fakeUpstream } from '../../src/simulator/server.ts'
import {
  type GatewayProcess,
  runCommand,
  startGateway,
  workFolder,
} from '../support/gateway-process.ts'

let upstream: FakeUpstream

before(async () => {
  upstream = await fakeUpstream()
})

after(() => upstream.close())

test('serve says one line on standard output, hints and a line per interception on the other', async () => {
  const gateway = await start()
  const reply = await ask(gateway.url, { 'x-sluice-user': 'alice' })
  assert.equal(reply.status, 200)
  assert.match(await gateway.line(/alice/), / openai\/gpt-5\.4 .* completed in /)
  assert.equal(await gateway.stop(), 0)
  const { stdout, stderr } = gateway.output()
  assert.match(stdout, /^sluice listening on http:\/\/127\.0\.0\.1:\d+\n$/)
  for (const hint of ['Claude Code', 'Codex', 'wire_api = "responses"', 'OPENAI_BASE_URL='])
    assert.ok(stderr.includes(hint), hint)
})

test('the store’s folder and files are their owner’s alone', async () => {
  const gateway = await start()
  await ask(gateway.url)
  const folder = join(gateway.folder, 'sluice-data')
  assert.equal(statSync(folder).mode & 0o777, 0o700)
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
  assert.ok(files.some(({ name }) => name === 'sluice.db'))
  for (const file of files.filter((entry) => entry.isFile()))
    assert.equal(statSync(join(file.parentPath, file.name)).mode & 0o777, 0o600, file.name)
  await gateway.stop()
})

test('with --log-format json every line of standard error is an object', async () => {
  const gateway = await start(['--log-format', 'json', '--structured-logging'])
  await ask(gateway.url, { 'x-sluice-user': 'bob' })
  await gateway.line(/"message":"interception"/)
  await gateway.stop('SIGINT')
  const lines = gateway
    .output()
    .stderr.split('\n')
    .map((line) => JSON.parse(line) as Json)
  const ready = lines.find(({ message }) => message === 'ready')
  assert.equal(ready?.url, gateway.url)
  assert.deepEqual(ready?.providers, {
    anthropic: `${gateway.url}/anthropic`,
    openai: `${gateway.url}/openai`,
  })
  const line = lines.find(({ message }) => message === 'interception')
  assert.equal(line?.initiator, 'bob')
  assert.equal(line?.outcome, 'completed')
  const types = lines
    .filter(({ message }) => message === 'interception log')
    .map((r) => r.record_type)
  for (const type of ['interception_start', 'prompt_usage', 'token_usage', 'interception_end'])
    assert.ok(types.includes(type), type)
})

test('structured lines go to a file of their own, for its owner only, without content if so asked', async () => {
  const file = join(workFolder(), 'records.ndjson')
  const gateway = await start([
    '--structured-logging',
    '--structured-log-file',
    file,
    '--log-content',
    'omit',
  ])
  await ask(gateway.url)
  await gateway.stop()
  const lines = readFileSync(file, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Json)
  assert.equal(statSync(file).mode & 0o777, 0o600)
  assert.equal(lines.find((line) => line.record_type === 'prompt_usage')?.prompt, null)
})

test('all faults of the configuration are one message, and nothing starts', async () => {
  const folder = workFolder()
  writeFileSync(join(folder, 'sluice.config.yaml'), 'prot: 1\n')
  const args = ['serve', '--colour', 'red', '--port', 'abc', '--auth', 'ldap', '--no-such']
  const env = { SLUICE_DISCONNECT: 'x', SLUICE_UNKNOWN: 'fine' }
  const { code, stdout, stderr } = await runCommand(args, { folder, env })
  assert.equal(code, 1)
  assert.equal(stdout, '')
  for (const part of [
    '--colour',
    '--no-such',
    '--port',
    '--auth',
    'SLUICE_DISCONNECT',
    'prot: unknown',
  ])
    assert.ok(stderr.includes(part), `${part} in\n${stderr}`)
  assert.ok(!stderr.includes('SLUICE_UNKNOWN') && !stderr.includes('    at '))
  assert.deepEqual(readdirSync(folder), ['sluice.config.yaml'])
})

test('a port in use is one clear line, also for a demo, whose running store stays', async () => {
  const gateway = await start()
  const { port } = new URL(gateway.url)
  const { code, stdout, stderr } = await runCommand(['serve', '--demo', '--port', port])
  assert.equal(code, 1)
  assert.equal(stdout, '')
  assert.match(stderr, /^sluice: port \d+ on 127\.0\.0\.1 is in use: [^\n]+\n$/)
  await gateway.stop()
})

test('switches are taken as --x, --no-x and --x=false', async () => {
  const on = await runCommand(['serve', '--require-recording', '--store', 'memory:'])
  assert.match(on.stderr, /--require-recording: needs a store/)
  for (const off of [
    '--no-require-recording',
    '--require-recording=false',
    '--require-recording=0',
  ]) {
    const { stderr } = await runCommand(['serve', off, '--store', 'memory:', '--port', 'x'])
    assert.match(stderr, /has a fault:\n {2}--port[^\n]+\n$/, off)
  }
})

test('the help names every setting with its default', async () => {
  const { stdout, code } = await runCommand(['serve', '--help'])
  assert.equal(code, 0)
  const text = stdout.replace(/\s+/g, ' ')
  for (const [name, { fallback }] of Object.entries(settings)) {
    const flag = `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)} `
    assert.ok(text.includes(flag), flag)
    if (fallback !== undefined) assert.ok(text.includes(`(default: ${fallback})`), name)
  }
})

test('--demo holds conversations of several users in a store that the next demo empties', async () => {
  const folder = workFolder()
  const first = await startGateway(['--demo'], { folder })
  await first.line(/ completed /)
  await first.line(/^\S+ alice /)
  await first.line(/^\S+ bob /)
  assert.equal(await first.stop(), 0)
  const store = ['--store', 'sqlite:./sluice-data/demo.db']
  const before = await runCommand(['interceptions', 'list', ...store], { folder })
  const ids = (JSON.parse(before.stdout) as { id: string }[]).map(({ id }) => id)
  assert.ok(ids.length > 2)
  const second = await startGateway(['--demo'], { folder })
  await second.line(/ completed /)
  await second.stop()
  const after = await runCommand(['interceptions', 'list', ...store], { folder })
  assert.ok((JSON.parse(after.stdout) as { id: string }[]).every(({ id }) => !ids.includes(id)))
})

test('a second signal at once is the same Ctrl-C; one a second later ends the process', async () => {
  const gateway = await start()
  upstream.next({ stall: 1 })
  const cut = ask(gateway.url, {}, true)
    .then(({ text }) => text())
    .catch(() => 'cut')
  await upstream.request(upstream.requests.length)
  gateway.child.kill('SIGINT')
  gateway.child.kill('SIGINT')
  await gateway.line(/finishing what runs/)
  await new Promise((resolve) => setTimeout(resolve, 1050))
  assert.equal(gateway.child.exitCode, null)
  assert.equal(await gateway.stop('SIGINT'), 1)
  await cut
})

test('a terminal that goes away does not end the gateway', async () => {
  const gateway = await start()
  gateway.child.stderr?.destroy()
  gateway.child.stdout?.destroy()
  for (let i = 0; i < 3; i++) assert.equal((await ask(gateway.url)).status, 200)
  assert.match(
    await (await fetch(`${gateway.url}/metrics`)).text(),
    /log_lines_dropped_total\{reason="EPIPE"\}/,
  )
  assert.equal(await gateway.stop(), 0)
})

type Json = Readonly<Record<string, unknown>>

function start(args: readonly string[] = []): Promise<GatewayProcess> {
  return startGateway(['--openai-base-url', upstream.url, ...args])
}

function ask(url: string, headers: Readonly<Record<string, string>> = {}, stream = false) {
  return fetch(`${url}/openai/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: 'Bearer sk-mine', ...headers },
    body: JSON.stringify({ model: 'gpt-5.4', stream, messages: [{ role: 'user', content: 'Hi' }] }),
  })
}
