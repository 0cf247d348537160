import assert from 'node:assert/strict'
import { once } from 'node:events'
import { after, test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { Pool } from 'undici'
import { startGateway, type TestGateway } from './support/gateway.ts'
import { routes } from './support/questions.ts'
import { openCall } from './support/raw-client.ts'
import { headerOf } from './support/raw-http.ts'

setFlagsFromString('--expose-gc')
const gc: () => void = runInNewContext('gc')
const mebibyte = 1024 * 1024
const open: TestGateway[] = []
after(() => Promise.all(open.map((gateway) => gateway.close())))

for (const [name, { path, ask }] of Object.entries(routes)) {
  for (const stream of [true, false]) {
    test(`${name}${stream ? ' streamed' : ''}: a client that reads nothing holds a reply of 500 MB back`, async () => {
      const gateway = await startGateway()
      open.push(gateway)
      const { upstream, port } = gateway
      const piece = `data: ${'.'.repeat(mebibyte / 2 - 8)}\n\n`
      function* endless() {
        for (let sent = 0; sent < 1000; sent++) yield piece
      }
      upstream.next({ raw: endless() })
      const call = openCall(port, { path, body: { ...ask, stream } })
      const request = await upstream.request(0)
      await call.until((body) => body.length > 1000)
      call.socket.pause()
      const written = await standstill(() => request.bytesWritten)
      // Kernel buffers fill in steps, so a bound is all that can be said.
      assert.ok(written < 40 * mebibyte, `${written / mebibyte} MiB`)
      gc()
      assert.ok(process.memoryUsage().arrayBuffers < 60 * mebibyte)
      call.socket.destroy()
      assert.equal(await request.ended, 'gone')
      assert.equal((await gateway.ended(0)).end.outcome, 'client_gone')
    })
  }
}

test('a client that takes nothing for too long is cut off, and is said to have gone', async () => {
  const gateway = await startGateway({ clientIdleTimeout: 200, upstreamIdleTimeout: 100 })
  open.push(gateway)
  const { upstream, port } = gateway
  const { path, ask } = routes.chat
  upstream.next({ fill: { events: 100_000, bytes: 10_000 } })
  const call = openCall(port, { path, body: { ...ask, stream: true } })
  const request = await upstream.request(0)
  await call.until((body) => body.length > 1000)
  call.socket.pause()
  assert.equal(await request.ended, 'gone')
  const { end } = await gateway.ended(0)
  assert.equal(end.outcome, 'client_gone')
  assert.match(end.errorMessage ?? '', /took nothing/)
  call.socket.resume()
  await once(call.socket, 'close')
  assert.notEqual((await call.answer).end, 'whole')
})

test('a slow client gets everything, at its own pace', async () => {
  const gateway = await startGateway()
  open.push(gateway)
  const { upstream, port } = gateway
  const { path, ask } = routes.messages
  upstream.next({ fill: { events: 2000, bytes: 10_000 } })
  const call = openCall(port, { path, body: { ...ask, stream: true } })
  for (let turn = 0; turn < 5; turn++) {
    const size = call.body().length
    await call.until((body) => body.length > size)
    call.socket.pause()
    await new Promise((resolve) => setTimeout(resolve, 20))
    call.socket.resume()
  }
  const answer = await call.answer
  assert.equal(answer.end, 'whole')
  assert.ok(answer.body.length > 20_000_000)
  const { end } = await gateway.ended(headerOf(answer.headers, 'x-sluice-interception-id') ?? '')
  assert.deepEqual([end.outcome, end.responseBytes], ['completed', answer.body.length])
})

test('10,000 streams leave the heap as it was', async () => {
  const chunk = (delta: object, finish_reason: string | null = null) =>
    `data: ${JSON.stringify({ id: 'c', choices: [{ index: 0, delta, finish_reason }] })}\n\n`
  const raw = `${chunk({ content: 'Hello' }).repeat(5)}${chunk({}, 'stop')}data: [DONE]\n\n`
  const gateway = await startGateway({
    kept: 100,
    upstream: { keepRequests: false, reply: { raw } },
  })
  open.push(gateway)
  const pool = new Pool(gateway.url, { connections: 50 })
  const { path, ask } = routes.chat
  const body = JSON.stringify({ ...ask, stream: true })
  const headers = { 'content-type': 'application/json' }
  async function run(count: number): Promise<number> {
    let left = count
    const worker = async () => {
      while (left-- > 0) {
        const reply = await pool.request({ method: 'POST', path, headers, body })
        assert.equal((await reply.body.text()).length, raw.length)
      }
    }
    await Promise.all(Array.from({ length: 50 }, worker))
    return settledHeap()
  }
  // Warm: code is compiled, pools and the recorder have their fill.
  const before = await run(1500)
  const later = await run(10_000)
  await pool.close()
  assert.ok(later < before * 1.1, `${before} bytes, then ${later}`)
  assert.equal(gateway.gateway.openRequests, 0)
})

/** The value once it has stopped growing for a while. */
async function standstill(value: () => number): Promise<number> {
  for (let last = -1, same = 0; same < 5; ) {
    await new Promise((resolve) => setTimeout(resolve, 30))
    const now = value()
    same = now === last ? same + 1 : 0
    last = now
  }
  return value()
}

async function settledHeap(): Promise<number> {
  for (let turn = 0; turn < 5; turn++) {
    await new Promise((resolve) => setTimeout(resolve, 20))
    gc()
  }
  return process.memoryUsage().heapUsed
}
