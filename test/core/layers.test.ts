import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SluiceError } from '../../src/core/errors.ts'
import type { Layer } from '../../src/core/upstream.ts'
import { startGateway } from '../support/gateway.ts'
import { routes } from '../support/questions.ts'
import { rawCall } from '../support/raw-client.ts'
import { headerOf } from '../support/raw-http.ts'

const { path, ask } = routes.messages

/** A layer that adds a header with its name. */
const named =
  (name: string): Layer =>
  (send) =>
  (request) =>
    send({ ...request, headers: [...request.headers, 'X-Passed', name] })

for (const transport of ['undici', 'got'] as const) {
  test(`the first layer is the outermost, for all that goes upstream (${transport})`, async (t) => {
    const layers = [named('first'), named('second')]
    const { port, upstream, close } = await startGateway({ layers, transport })
    t.after(close)
    await rawCall(port, { path, body: ask })
    await rawCall(port, { path: '/openai/v1/models', method: 'GET' })
    for (const { rawHeaders } of upstream.requests) {
      const passed = rawHeaders.filter((_, at) => rawHeaders[at - 1] === 'X-Passed')
      assert.deepEqual(passed, ['first', 'second'])
    }
    assert.equal(upstream.requests.length, 2)
  })

  test(`a layer can ask again: the client sees the last reply alone (${transport})`, async (t) => {
    const onceMore: Layer = (send) => async (request) => {
      const reply = await send(request)
      if (reply.status !== 529 || !(request.body instanceof Uint8Array)) return reply
      reply.body.destroy()
      return send(request)
    }
    const { port, upstream, ended, close } = await startGateway({ layers: [onceMore], transport })
    t.after(close)
    upstream.next({ status: 529 })
    const answer = await rawCall(port, { path, body: { ...ask, stream: true } })
    assert.equal(answer.status, 200)
    const [first, second] = upstream.requests
    assert.ok(first && second && first.body.equals(second.body))
    const { end } = await ended(headerOf(answer.headers, 'x-sluice-interception-id') ?? '')
    assert.deepEqual([end.outcome, end.httpStatus], ['completed', 200])
  })
}

test('a layer that refuses is answered in the shape of the route, with the status of its error', async (t) => {
  const closed: Layer = () => async () => {
    throw new SluiceError('the budget is spent: ask again tomorrow', {
      code: 'ERR_BUDGET',
      status: 429,
      retryAfter: 60,
    })
  }
  const { port, upstream, ended, close } = await startGateway({ layers: [closed] })
  t.after(close)
  const answer = await rawCall(port, { path, body: ask })
  assert.equal(answer.status, 429)
  assert.equal(headerOf(answer.headers, 'retry-after'), '60')
  const { error } = JSON.parse(answer.body.toString())
  assert.deepEqual(error, {
    type: 'rate_limit_error',
    message: 'the budget is spent: ask again tomorrow',
  })
  const { end } = await ended(headerOf(answer.headers, 'x-sluice-interception-id') ?? '')
  assert.deepEqual([end.outcome, end.errorType, end.httpStatus], ['rejected', 'rate_limited', 429])
  assert.equal(upstream.requests.length, 0)
})

test('a layer that throws costs its request a 502, and its words are for the log', async (t) => {
  const broken: Layer = () => async () => {
    throw new Error('a bug')
  }
  const { port, ended, close, log } = await startGateway({ layers: [broken] })
  t.after(close)
  const answer = await rawCall(port, { path, body: ask })
  assert.equal(answer.status, 502)
  assert.doesNotMatch(answer.body.toString(), /a bug/)
  assert.deepEqual(log, ['error: an interception failed: a bug'])
  const { end } = await ended(headerOf(answer.headers, 'x-sluice-interception-id') ?? '')
  assert.deepEqual([end.outcome, end.errorMessage], ['failed', 'a bug'])
})
