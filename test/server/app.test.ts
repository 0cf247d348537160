import assert from 'node:assert/strict'
import { mkdtempSync } from 'node:fs'
import {
  type IncomingHttpHeaders,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  request,
} from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { type ConfigSources, readConfig } from '../../src/server/config.ts'
import { type Running, serve } from '../../src/server/serve.ts'
import { type FakeUpstream, fakeUpstream } from '../../src/simulator/server.ts'

let upstream: FakeUpstream
let running: Running

before(async () => {
  upstream = await fakeUpstream()
  running = await start()
})

after(async () => {
  await running.stop()
  await upstream.close()
})

test('a request on each of the three bases is relayed, recorded and listed on both', async () => {
  for (const base of ['', '/api/v2/aibridge', '/api/v2/ai-gateway']) {
    const user = `user-of-${base.slice(-10) || 'root'}`
    const reply = await ask(`${base}/anthropic/v1/messages`, { 'x-sluice-user': user })
    assert.equal(reply.status, 200)
    const id = String(reply.headers['x-sluice-interception-id'])
    for (const api of ['/api/v2/aibridge', '/api/v2/ai-gateway']) {
      const list = await get(`${api}/interceptions?initiator=${user}`)
      assert.equal(list.json.count, 1)
      const [row] = list.json.results as Json[]
      assert.equal(row?.id, id)
      const detail = await get(`${api}/interceptions/${id}`)
      assert.deepEqual(pick(detail.json, Object.keys(row ?? {})), row)
    }
  }
})

test('an interception has the members of the reference, and in detail those of its end', async () => {
  const reply = await ask('/anthropic/v1/messages', { 'x-sluice-user': 'shape' })
  const { json } = await get(
    `/api/v2/aibridge/interceptions/${reply.headers['x-sluice-interception-id']}`,
  )
  assert.deepEqual(json.initiator, { id: 'shape', username: 'shape' })
  assert.deepEqual(
    pick(json, ['provider', 'provider_name', 'model', 'api_key_id', 'format', 'outcome']),
    {
      provider: 'anthropic',
      provider_name: 'anthropic',
      model: 'claude-sonnet-4-5',
      api_key_id: null,
      format: 'anthropic_messages',
      outcome: 'completed',
    },
  )
  assert.match(String(json.started_at), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
  assert.match(String(json.ended_at), /Z$/)
  assert.equal(json.http_status, 200)
  assert.ok(!('process_id' in json) && !('type' in json) && !('seq' in json))
  const [usage] = json.token_usages as Json[]
  assert.equal(usage?.interception_id, json.id)
  assert.equal(usage?.provider_response_id, usage?.msg_id)
  assert.ok(Number(usage?.output_tokens) > 0)
  assert.equal(typeof usage?.cache_read_input_tokens, 'number')
  const [prompt] = json.user_prompts as Json[]
  assert.equal(prompt?.prompt, 'Say hello.')
  for (const list of ['tool_usages', 'tool_results', 'model_thoughts', 'records'])
    assert.ok(Array.isArray(json[list]), list)
})

test('a Host that is not this machine is refused, in the shape of the route', async () => {
  for (const host of [
    'evil.example',
    '127.0.0.1.evil.example',
    'localhost.evil.example:80',
    '10.0.0.1',
  ]) {
    const reply = await ask('/anthropic/v1/messages', { host })
    assert.equal(reply.status, 403, host)
    assert.equal(reply.json.type, 'error')
    assert.equal((reply.json.error as Json).type, 'permission_error')
    const chat = await ask('/api/v2/aibridge/openai/v1/chat/completions', { host })
    assert.equal(typeof (chat.json.error as Json).message, 'string')
    assert.deepEqual(Object.keys((await get('/api/v2/aibridge/interceptions', { host })).json), [
      'message',
    ])
  }
  for (const host of ['localhost:1', 'LOCALHOST', '127.0.0.2:80', '[::1]:4141'])
    assert.equal((await get('/healthz', { host })).status, 200, host)
  assert.ok(running.gateway.diagnostics.total('refused', { reason: 'host' }) >= 12)
})

test('a foreign Origin is refused, our own is not', async () => {
  const own = running.url
  for (const origin of [
    'http://evil.example',
    'null',
    'https://127.0.0.1',
    own.replace(/\d+$/, '1'),
  ])
    assert.equal((await ask('/openai/v1/responses', { origin })).status, 403, origin)
  assert.equal((await get('/api/v2/aibridge/interceptions', { origin: own })).status, 200)
  const image = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' }
  assert.equal((await get('/openai/v1/models', image)).status, 403)
  const link = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' }
  assert.equal((await get('/', link)).status, 200)
})

test('who asks is the user of this machine, or who X-Sluice-User names', async () => {
  const reply = await ask('/openai/v1/chat/completions')
  const path = `/api/v2/aibridge/interceptions/${reply.headers['x-sluice-interception-id']}`
  const { initiator } = (await get(path)).json
  assert.equal((initiator as Json).username, running.config.user)
  const name = Buffer.from('Łucja Ł').toString('latin1')
  const named = await ask('/openai/v1/chat/completions', { 'x-sluice-user': name })
  assert.equal(named.status, 200, named.text)
  const mine = await get('/api/v2/aibridge/interceptions?initiator=me', { 'x-sluice-user': name })
  assert.equal(mine.json.count, 1, mine.text)
  const unusable = { 'x-sluice-user': 'x'.repeat(300) }
  assert.equal((await ask('/openai/v1/chat/completions', unusable)).status, 403)
  assert.equal((await get('/api/v2/aibridge/interceptions', unusable)).status, 403)
})

test('a list narrows by repo, branch and issue, which it and the detail show', async () => {
  const branch = 'naprawa-żółci'
  const sent = { repo: 'https://me:pass@git.example/a/b', branch, issue: '4' }
  const headers = Object.fromEntries(
    Object.entries(sent).map(([name, value]) => [
      `x-sluice-${name}`,
      Buffer.from(value).toString('latin1'),
    ]),
  )
  const reply = await ask('/openai/v1/responses', headers)
  const id = reply.headers['x-sluice-interception-id']
  await ask('/openai/v1/responses', { 'x-sluice-branch': headers['x-sluice-branch'] })
  const list = async (query: object) =>
    (await get(`/api/v2/aibridge/interceptions?${new URLSearchParams({ ...query })}`)).json
  const annotations = { ...sent, repo: 'https://…@git.example/a/b' }
  for (const query of [sent, annotations, { repo: sent.repo }, { issue: '4', initiator: 'me' }]) {
    const { count, results } = await list(query)
    assert.equal(count, 1, JSON.stringify(query))
    assert.deepEqual(pick((results as Json[])[0] ?? {}, ['id', 'annotations']), { id, annotations })
  }
  assert.equal((await list({ branch })).count, 2)
  assert.equal((await list({ branch, issue: '5' })).count, 0)
  assert.deepEqual(
    (await get(`/api/v2/aibridge/interceptions/${id}`)).json.annotations,
    annotations,
  )
  const bad = await get('/api/v2/aibridge/interceptions?repo=a&repo=b&issue=%20')
  assert.equal(bad.status, 400)
  assert.deepEqual(
    (bad.json.validations as Json[]).map(({ field }) => field),
    ['repo', 'issue'],
  )
})

test('paging, bad parameters and unknown ids are answered as the reference does', async () => {
  for (let i = 0; i < 3; i++) await ask('/openai/v1/responses', { 'x-sluice-user': 'pager' })
  const all = (await get('/api/v2/aibridge/interceptions?initiator=pager')).json
  const second = (await get('/api/v2/aibridge/interceptions?initiator=pager&limit=1&offset=1')).json
  assert.equal(second.count, 3)
  assert.deepEqual(second.results, (all.results as Json[]).slice(1, 2))
  const bad = await get('/api/v2/aibridge/interceptions?limit=-1&offset=x')
  assert.equal(bad.status, 400)
  assert.equal((bad.json.validations as Json[]).length, 2)
  assert.equal((await get('/api/v2/aibridge/interceptions?limit=1001')).status, 400)
  for (const id of ['018f0000-0000-7000-8000-000000000000', 'x', '%00', "'--"])
    assert.equal((await get(`/api/v2/aibridge/interceptions/${id}`)).status, 404, id)
})

test('the pages say what is here, and everything else is a quick 404 or 405', async () => {
  const page = await get('/', { accept: 'text/html' })
  assert.match(page.text, /ANTHROPIC_BASE_URL=http:\/\/127\.0\.0\.1:\d+\/anthropic/)
  assert.match(String(page.headers['content-security-policy']), /default-src 'none'/)
  assert.equal((await get('/healthz')).json.status, 'ok')
  assert.deepEqual((await get('/readyz')).json, { status: 'ok', faults: [] })
  assert.equal((await get('/healthz')).headers['keep-alive'], 'timeout=75')
  assert.equal((await send('/nothing/here', { method: 'HEAD' })).status, 404)
  assert.equal((await get('/api/v2/aibridge/nothing')).status, 404)
  const put = await send('/api/v2/aibridge/interceptions', { method: 'PUT' })
  assert.equal(put.status, 405)
  assert.equal(put.headers.allow, 'GET, HEAD')
  const metrics = await get('/metrics')
  assert.match(metrics.text, /sluice_refused_total\{reason="host"\} \d+/)
  assert.match(metrics.text, /\nsluice_commit_wait_missed_total 0\n/)
})

test('a websocket upgrade on a provider is 426, elsewhere 404; another upgrade is ignored', async () => {
  const socket = { connection: 'Upgrade', upgrade: 'websocket' }
  assert.equal((await get('/api/v2/aibridge/openai/v1/responses', socket)).status, 426)
  const refused = await get('/openai/v1/responses', socket)
  assert.equal(refused.status, 426)
  assert.equal(refused.headers['content-type'], 'application/json')
  assert.match(JSON.parse(refused.text).error.message, /no upgrade/)
  const { text } = await get('/anthropic/v1/messages', socket)
  assert.equal(JSON.parse(text).error.type, 'invalid_request_error')
  assert.equal((await get('/elsewhere', socket)).status, 404)
  const h2c = {
    connection: 'Upgrade, HTTP2-Settings',
    upgrade: 'h2c',
    'http2-settings': 'AAMAAABkAAQ',
  }
  assert.equal((await ask('/openai/v1/responses', h2c)).status, 200)
})

test('a stop waits for what runs, refuses what is new and lets connections go', async () => {
  const stopping = await start()
  upstream.next({ delay: 40 })
  const long = ask('/openai/v1/chat/completions', {}, { base: stopping.url, stream: true })
  await long.begun
  const stopped = stopping.stop()
  const late = await ask('/anthropic/v1/messages', {}, { base: stopping.url })
  assert.equal(late.status, 503)
  assert.equal(late.headers['retry-after'], '1')
  assert.match(String(late.headers.connection), /^close/)
  const ready = await send('/readyz', { base: stopping.url })
  assert.equal(ready.status, 503)
  assert.equal(ready.headers.connection, 'close')
  assert.match((await long).text, /\[DONE\]/)
  await stopped
  await assert.rejects(send('/healthz', { base: stopping.url }), /ECONNREFUSED/)
})

test('a port in use is one clear error, and no store is touched', async () => {
  const { port } = new URL(running.url)
  let touched = false
  const config = configOf({ port })
  const beforeOpen = () => {
    touched = true
  }
  await assert.rejects(serve(config, { log: () => {}, beforeOpen }), {
    message: `port ${port} on 127.0.0.1 is in use: stop what listens there, or choose another one with --port`,
  })
  assert.equal(touched, false)
})

type Json = Readonly<Record<string, unknown>>

interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
  /** Empty where the body is no JSON. */
  readonly json: Json
}

interface Options {
  readonly method?: string
  readonly headers?: OutgoingHttpHeaders
  readonly body?: string
  readonly base?: string
}

/** One request over a real socket, with any header: `fetch` would not let us say `Host`. */
function send(
  path: string,
  { method = 'GET', headers = {}, body, base = running.url }: Options = {},
) {
  let begin = () => {}
  const begun = new Promise<void>((resolve) => {
    begin = resolve
  })
  const answer = new Promise<Answer>((resolve, reject) => {
    const call = request(`${base}${path}`, { method, headers }, (reply) => {
      begin()
      let text = ''
      reply.on('data', (chunk) => {
        text += chunk
      })
      reply.on('end', () => resolve({ ...pickReply(reply), text, json: jsonOf(text) }))
      reply.on('error', reject)
    })
    call.on('upgrade', (reply) => resolve({ ...pickReply(reply), text: '', json: {} }))
    call.on('error', reject)
    // As bytes: Node would write headers and a text together, both as UTF-8.
    call.end(Buffer.from(body ?? ''))
  })
  return Object.assign(answer, { begun })
}

function get(path: string, headers: OutgoingHttpHeaders = {}) {
  return send(path, { headers })
}

/** Asks the provider that the path names for something small. */
function ask(
  path: string,
  headers: OutgoingHttpHeaders = {},
  { base = running.url, stream = false }: { base?: string; stream?: boolean } = {},
) {
  const messages = [{ role: 'user', content: 'Say hello.' }]
  const content = path.endsWith('/responses') ? { input: 'Say hello.' } : { messages }
  const model = path.includes('/anthropic/') ? 'claude-sonnet-4-5' : 'gpt-5.4'
  return send(path, {
    base,
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: 'Bearer sk-mine', ...headers },
    body: JSON.stringify({ model, max_tokens: 100, stream, ...content }),
  })
}

function pickReply({ statusCode = 0, headers }: IncomingMessage) {
  return { status: statusCode, headers }
}

function jsonOf(text: string): Json {
  try {
    return JSON.parse(text) as Json
  } catch {
    return {}
  }
}

function pick(object: Json, keys: readonly string[]): Json {
  return Object.fromEntries(keys.map((key) => [key, object[key]]))
}

function configOf(flags: ConfigSources['flags']) {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-app-'))
  const base = { anthropicBaseUrl: upstream.url, openaiBaseUrl: upstream.url }
  const store = `sqlite:${join(folder, 'sluice.db')}`
  return readConfig({ env: {}, folder, flags: { port: 0, store, ...base, ...flags } })
}

function start(flags: ConfigSources['flags'] = {}): Promise<Running> {
  return serve(configOf(flags), { log: () => {} })
}
