import assert from 'node:assert/strict'
import { once } from 'node:events'
import { request } from 'node:http'

/** How a program of the documents is tried. Without an entry it must end by itself, with exit code 0. */
export interface DocCheck {
  /** Goes on where the block ends. */
  readonly more?: string
  /** Tries the server that it starts. */
  readonly serves?: (url: string) => Promise<void>
  /** Ends at SIGTERM with exit code 0. */
  readonly ends?: true
}

/** By place, as in `DocBlock`. */
export const docChecks: Readonly<Record<string, DocCheck>> = {
  'README.md § Point a client at it': {
    more: `
const sent: string[] = []
const fetch = async (url: unknown) => {
  sent.push(String(url))
  return new Response('{}', { headers: { 'content-type': 'application/json' } })
}
const messages = [{ role: 'user' as const, content: 'Hello' }]
await anthropic.withOptions({ fetch }).messages.create({ model: 'claude-sonnet-5', max_tokens: 9, messages })
await openai.withOptions({ fetch }).chat.completions.create({ model: 'gpt-5.4', messages })
if (sent.join() !== 'http://127.0.0.1:4141/anthropic/v1/messages,http://127.0.0.1:4141/openai/v1/chat/completions') throw new Error(sent.join())`,
  },
  'README.md § In a Koa server of your own': { serves: (url) => asks(`${url}/ai`) },
  'README.md § An observer of your own': {
    more: `
import { fakeEvent, recordsOf } from 'sluice/testing'
const call = fakeEvent('tool_call', { tool: 'ls' })
const records = await recordsOf(repeatedCalls(), [call, call, { ...call, tool: 'cat' }, call, call, call, call])
if (JSON.stringify(records) !== '[{"type":"repeated_call","tool":"ls","times":3}]') throw new Error(JSON.stringify(records))`,
  },
  'docs/mount.md § Who is asking': {
    async serves(url) {
      await asks(url, { 'x-sluice-token': 'token-of-alice' })
      assert.equal((await ask(`${url}/openai/v1/chat/completions`)).status, 403)
    },
  },
  'docs/mount.md § Before a body parser': {
    async serves(url) {
      await asks(`${url}/ai`)
      const own = await fetch(`${url}/own`, { method: 'POST', body: '{}' })
      assert.deepEqual(await own.json(), { yours: '/own' })
    },
  },
  'docs/mount.md § Behind a body parser': {
    async serves(url) {
      await asks(`${url}/ai`)
      await asks(`${url}/ai`, {}, 'x'.repeat(2_000_000))
    },
  },
  'docs/mount.md § Under a prefix, in koa-mount, in a router': {
    async serves(url) {
      for (const prefix of ['ai', 'mounted', 'routed']) await asks(`${url}/${prefix}`)
    },
  },
  'docs/mount.md § The API': {
    async serves(url) {
      const headers = { 'x-sluice-user': 'alice' }
      await asks(`${url}/ai`, headers)
      for (const [who, count] of Object.entries({ alice: 2, bob: 0 })) {
        const list = await fetch(`${url}/ai/records/interceptions`, {
          headers: { 'x-sluice-user': who },
        })
        assert.equal(((await list.json()) as { count: number }).count, count)
      }
      assert.equal((await fetch(`${url}/ai/records/interceptions`)).status, 401)
    },
  },
  'docs/mount.md § Websockets': {
    async serves(url) {
      await asks(`${url}/ai`)
      assert.equal(await upgrade(`${url}/ai/openai/v1/responses`), 426)
      assert.equal(await upgrade(`${url}/own`), 101)
    },
  },
  'docs/mount.md § Stopping': { serves: (url) => asks(url), ends: true },
  'docs/plugins.md § An observer': {
    more: `
import { fakeEvent, fakeInterception, recordsOf } from 'sluice/testing'
const said = ['Hello, ', 'my ', 'dear'].map((text) => fakeEvent('text', { text }))
const records = await recordsOf(answerLength, said, fakeInterception({ client: 'Codex' }))
if (JSON.stringify(records) !== '[{"type":"answer_length","client":"Codex","words":3}]') throw new Error(JSON.stringify(records))`,
  },
  'docs/plugins.md § A recorder': {
    more: `
import { readFileSync } from 'node:fs'
const recorder = jsonLinesRecorder({ path: 'records.jsonl' })
await recorder.open?.()
await recorder.record?.([{ type: 'answer' } as never])
await recorder.close?.()
if (readFileSync('records.jsonl', 'utf8') !== '{"type":"answer"}\\n') throw new Error('nothing was written')`,
  },
  'docs/plugins.md § A layer': {
    more: `
import { Readable } from 'node:stream'
const request = { method: 'POST', url: new URL('http://127.0.0.1'), headers: [], body: Buffer.from('{}'), signal: AbortSignal.timeout(5000) }
const statuses = [529, 200]
const asked = () => ({ status: statuses.shift() ?? 500, statusText: '', headers: [], body: Readable.from([]) })
const { status } = await onceMore(async () => asked())(request)
if (status !== 200) throw new Error(String(status))
const refused = await within(async () => false)(async () => asked())(request).catch(({ code }) => code)
if (refused !== 'ERR_BUDGET') throw new Error(String(refused))`,
  },
  'docs/metrics.md § In a server of your own': {
    async serves(url) {
      await asks(`${url}/ai`)
      assert.match(await (await fetch(`${url}/metrics`)).text(), /sluice_interceptions_total\{/)
    },
  },
  'docs/mcp.md § Tools of MCP servers': { serves: (url) => asks(url) },
  'docs/mongo.md § The MongoDB store': { more: 'await gateway.close()' },
  'docs/stores.md § SQLite': { more: 'await gateway.open()\nawait gateway.close()' },
}

/** A stream of either provider, whole and recorded. */
async function asks(url: string, headers: Record<string, string> = {}, more = ''): Promise<void> {
  const chat = await ask(`${url}/openai/v1/chat/completions`, headers, more)
  assert.match(await chat.text(), /\ndata: \[DONE\]\n\n$/)
  const messages = await ask(`${url}/anthropic/v1/messages`, headers, more)
  assert.match(await messages.text(), /event: message_stop\n.*\n\n$/)
  for (const reply of [chat, messages]) assert.ok(reply.headers.get('x-sluice-interception-id'))
}

function ask(url: string, headers: Record<string, string> = {}, more = ''): Promise<Response> {
  const messages = [{ role: 'user', content: `Hello ${more}` }]
  return fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-api-key': 'sk-test', ...headers },
    body: JSON.stringify({ model: 'some-model', max_tokens: 20, stream: true, messages }),
  })
}

/** The status of the answer to a request for a websocket. */
async function upgrade(url: string): Promise<number | undefined> {
  const asked = request(url, {
    headers: {
      connection: 'Upgrade',
      upgrade: 'websocket',
      'sec-websocket-version': '13',
      'sec-websocket-key': Buffer.alloc(16).toString('base64'),
    },
  }).end()
  const [reply] = await Promise.race([once(asked, 'upgrade'), once(asked, 'response')])
  reply.socket.destroy()
  return reply.statusCode
}
