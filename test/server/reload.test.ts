import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { readConfig } from '../../src/server/config.ts'
import { reload, reloadedConfig } from '../../src/server/reload.ts'
import { type FakeUpstream, fakeUpstream } from '../../src/simulator/server.ts'
import { type GatewayProcess, startGateway, workFolder } from '../support/gateway-process.ts'

let first: FakeUpstream
let second: FakeUpstream
const started: GatewayProcess[] = []

before(async () => {
  first = await fakeUpstream()
  second = await fakeUpstream()
})
after(async () => {
  for (const { child } of started) child.kill('SIGKILL')
  await first.close()
  await second.close()
})

const frames = ['data: {"id":"a","choices":[]}\n\n', ': words\r\n\r\n', 'data: [DONE]\n\n']

for (const workers of [1, 2]) {
  test(`a hang-up swaps the provider and its key, and no byte of a stream that runs (workers: ${workers})`, async () => {
    const folder = workFolder()
    provider(folder, { baseUrl: first.url, key: 'sk-before' })
    const gateway = await start(folder, workers)
    const { promise: goOn, resolve: release } = Promise.withResolvers<void>()
    first.next({
      headers: { 'content-type': 'text/event-stream' },
      raw: (async function* () {
        yield frames[0] as string
        await goOn
        yield* frames.slice(1)
      })(),
    })
    const stream = await ask(gateway.url, { stream: true })
    assert.equal(first.requests.at(-1)?.headers.authorization, 'Bearer sk-before')

    const seen = first.requests.length
    provider(folder, { baseUrl: second.url, key: 'sk-after' })
    gateway.child.kill('SIGHUP')
    await gateway.line(/the configuration was reloaded: providers$/)
    // Whichever worker has not heard of it yet.
    const others = second.requests.length
    while (second.requests.length < others + 4) assert.equal((await ask(gateway.url)).status, 200)
    assert.equal(second.requests.at(-1)?.headers.authorization, 'Bearer sk-after')
    if (workers === 1) assert.equal(first.requests.length, seen)

    release()
    assert.equal(await stream.text(), frames.join(''))
    assert.equal(await gateway.stop(), 0)
  })
}

test('a file with faults is refused whole, in one line that names each', async () => {
  const folder = workFolder()
  provider(folder, { baseUrl: first.url, key: 'sk-1' })
  const gateway = await start(folder)
  provider(
    folder,
    { baseUrl: second.url, key: 'sk-2', colour: 'red' },
    { prot: 1, logLevel: 'loud' },
  )
  gateway.child.kill('SIGHUP')
  const line = await gateway.line(/not reloaded/)
  assert.match(line, /error the configuration was not reloaded, the old one goes on:/)
  for (const fault of ['providers[0].colour: unknown', 'prot: unknown', 'logLevel: must be'])
    assert.ok(line.includes(fault), line)
  const before = first.requests.length
  assert.equal((await ask(gateway.url)).status, 200)
  assert.equal(first.requests.length, before + 1)
  assert.equal(first.requests.at(-1)?.headers.authorization, 'Bearer sk-1')
  assert.equal(await gateway.stop(), 0)
})

test('what needs a restart is named, and what can change changes beside it', async () => {
  const folder = workFolder()
  provider(folder, { baseUrl: first.url, key: 'sk-1' })
  const gateway = await start(folder)
  provider(
    folder,
    { baseUrl: first.url, key: 'sk-1' },
    { commitWait: '2s', auth: 'tokens', logLevel: 'debug' },
  )
  gateway.child.kill('SIGHUP')
  await gateway.line(/warn only a restart changes auth, commit-wait$/)
  await gateway.line(/the configuration was reloaded: log-level$/)
  // Still without login, and more is logged.
  assert.equal((await ask(gateway.url)).status, 200)
  await fetch(`${gateway.url}/healthz`)
  await gateway.line(/debug GET \/healthz 200/)
  assert.equal(await gateway.stop(), 0)
})

test('names of providers, rules for clients and prices follow', async () => {
  const folder = workFolder()
  provider(folder, { baseUrl: first.url, key: 'sk-1' })
  const gateway = await start(folder)
  provider(
    folder,
    { name: 'other', baseUrl: first.url, key: 'sk-1' },
    {
      clients: [{ client: 'Mine', when: { header: '^x-mine: 1' } }],
      prices: { 'some-model': { input: 1_000_000, output: 0 } },
      retention: '0',
    },
  )
  gateway.child.kill('SIGHUP')
  await gateway.line(/reloaded: retention, providers, clients, prices$/)
  const path = '/other/v1/chat/completions'
  assert.equal((await ask(gateway.url, {}, path)).status, 200)
  const list = `${gateway.url}/api/v2/aibridge/interceptions?provider_name=other`
  const { results } = (await (await fetch(list)).json()) as { results: Row[] }
  assert.equal(results[0]?.client, 'Mine')
  assert.equal(results[0]?.token_usages[0]?.price_source, 'configuration')
  assert.equal(await gateway.stop(), 0)
})

interface Row {
  readonly client: string
  readonly token_usages: readonly { readonly price_source: string }[]
}

test('all but what it names stays as it was, also a certificate where there was none', () => {
  const folder = workFolder()
  const current = readConfig({ env: {}, folder })
  const same = readConfig({ env: {}, folder })
  assert.deepEqual(reloadedConfig(current, same).changed, [])
  const tls = { cert: 'c', key: 'k' }
  const wanted = { ...same, tls, port: 1, disconnect: 'drain' } as const
  const { config, changed, fixed } = reloadedConfig(current, wanted)
  assert.deepEqual([changed, fixed], [['disconnect'], ['port', 'tls-cert-file']])
  assert.deepEqual([config.port, config.tls, config.disconnect], [4141, undefined, 'drain'])
  const other = reloadedConfig({ ...current, tls }, { ...same, tls: { cert: 'd', key: 'k' } })
  assert.deepEqual([other.config.tls?.cert, other.changed], ['d', ['tls-cert-file']])
})

test('what cannot be applied is told, too', () => {
  const lines: string[] = []
  const config = readConfig({ env: {}, folder: workFolder() })
  reload({
    read: () => ({ ...config, retention: 1 }),
    target: {
      config,
      reload: () => {
        throw new Error('no')
      },
    },
    log: (level, message) => lines.push(`${level} ${message}`),
  })
  assert.deepEqual(lines, ['error the configuration was not reloaded, the old one goes on: no'])
})

function provider(folder: string, options: object, settings: object = {}): void {
  const providers = [{ name: 'openai', type: 'openai', ...options }]
  writeFileSync(join(folder, 'sluice.config.json'), JSON.stringify({ providers, ...settings }))
}

async function start(folder: string, workers = 1): Promise<GatewayProcess> {
  const gateway = await startGateway(['--workers', String(workers)], { folder })
  started.push(gateway)
  return gateway
}

function ask(
  url: string,
  more: object = {},
  path = '/openai/v1/chat/completions',
): Promise<Response> {
  const messages = [{ role: 'user', content: 'Hi' }]
  return fetch(`${url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-mine': '1', connection: 'close' },
    body: JSON.stringify({ model: 'some-model', messages, ...more }),
  })
}
