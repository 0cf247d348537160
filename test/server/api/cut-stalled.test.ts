import assert from 'node:assert/strict'
import { once } from 'node:events'
import { Agent, type IncomingMessage, request } from 'node:http'
import { connect } from 'node:net'
import { type TestContext, test } from 'node:test'
import type { Store } from '../../../src/core/store.ts'
import { memoryRecorder } from '../../../src/plugins/memory-recorder.ts'
import { by, startApi, type TestApi } from '../../support/api.ts'

const idle = 400

for (const path of ['interceptions?limit=1000', 'export'])
  test(`a client that takes nothing of ${path} is cut off, and what it held is let go`, async (t) => {
    const { api, pages } = await trial(t)
    const reply = await open(api, path)
    reply.pause()
    await api.line(cutOff)
    const failed = once(reply, 'error')
    reply.resume()
    assert.equal(((await failed)[0] as NodeJS.ErrnoException).code, 'ECONNRESET')
    const read = pages.length
    assert.equal((await api.get('interceptions?limit=1')).status, 200)
    assert.equal(pages.length, read + 1, 'pages were read for it after it had gone')
    assert.equal(api.log.filter((line) => cutOff.test(line)).length, 1)
    assert.deepEqual(api.log.filter((line) => /^(error|warn)/.test(line)).filter(unexpected), [])
  })

test('a client that stops again and again gets everything', async (t) => {
  const { api } = await trial(t)
  const reply = await open(api, 'export')
  let bytes = 0
  let stopped = 0
  for await (const chunk of reply) {
    bytes += chunk.length
    // What systems keep between the two goes in steps of megabytes.
    if (bytes < stopped + 10_000_000) continue
    stopped = bytes
    await new Promise((resolve) => setTimeout(resolve, idle / 2))
  }
  assert.ok(stopped > 30_000_000, `${bytes}`)
  assert.ok(!api.log.some((line) => cutOff.test(line)))
})

test('a store that takes its time is not the client’s fault', async (t) => {
  const { api, slow } = await trial(t)
  slow(3 * idle)
  assert.equal((await api.get('interceptions?limit=150')).json.results.length, 150)
  assert.ok(!api.log.some((line) => cutOff.test(line)))
})

test('a connection at rest, and what else comes over it, is not under this clock', async (t) => {
  const { api } = await trial(t)
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  t.after(() => agent.destroy())
  const first = await open(api, 'interceptions?limit=1', agent)
  first.resume()
  await once(first, 'end')
  await new Promise((resolve) => setTimeout(resolve, 2 * idle))
  const second = await open(api, 'interceptions?limit=1', agent)
  second.resume()
  await once(second, 'end')
  assert.equal(second.socket, first.socket)
})

test('a follower of the live feed that hears nothing for long goes on', async (t) => {
  const { api } = await trial(t)
  const { hostname, port, pathname } = new URL(`${api.url}/stream`)
  const socket = connect(Number(port), hostname)
  t.after(() => socket.destroy())
  socket.write(`GET ${pathname} HTTP/1.1\r\nhost: x\r\nx-user: ann\r\n\r\n`)
  await once(socket, 'data')
  await new Promise((resolve) => setTimeout(resolve, 3 * idle))
  await api.put({ ms: 99_999, start: by('ann') })
  const [event] = await once(socket, 'data')
  assert.match(String(event), /event: interception/)
})

const cutOff = /^info GET .*: cut off, since its client took nothing for 400 ms$/

/** What Koa says of a reply that ends early, to a host that listens. */
const unexpected = (line: string) => !/premature close/i.test(line)

async function trial(t: TestContext) {
  const whole = memoryRecorder()
  const pages: number[] = []
  let pause = 0
  const store: Store = {
    ...whole,
    interceptions: async (query = {}) => {
      pages.push(query.limit ?? 0)
      if (pause > 0) await new Promise((resolve) => setTimeout(resolve, pause))
      return whole.interceptions(query)
    },
  }
  const plans = Array.from({ length: 400 }, (_, index) => ({
    ms: index * 10,
    start: by('ann'),
    prompt: 'x'.repeat(100_000),
  }))
  const api = await startApi(plans, store, { clientIdleTimeout: idle })
  t.after(() => api.close())
  const slow = (ms: number) => {
    pause = ms
  }
  return { api, pages, slow }
}

async function open(api: TestApi, path: string, agent: Agent | false = false) {
  const asked = request(`${api.url}/${path}`, { headers: { 'x-user': 'ann' }, agent })
  // The reply says it, too.
  asked.on('error', () => {}).end()
  const [reply] = (await once(asked, 'response')) as [IncomingMessage]
  return reply
}
