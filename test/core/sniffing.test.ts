import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { startGateway } from '../support/gateway.ts'
import { routes } from '../support/questions.ts'
import { rawCall } from '../support/raw-client.ts'
import { headerOf, rawUpstream } from '../support/raw-http.ts'

let answer: readonly (string | Buffer)[] = []
let cut = false
const upstream = await rawUpstream(async ({ socket }) => {
  for (const part of answer) {
    socket.write(part)
    // Apart, for each to be a read of its own.
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  if (cut) socket.resetAndDestroy()
  else socket.end()
})
const baseUrl = upstream.url.href
const gateway = await startGateway({ provider: { baseUrl } })
const asking = await startGateway({ provider: { baseUrl, chatUsage: 'ask' } })
after(async () => {
  await gateway.close()
  await asking.close()
  await upstream.close()
})

const head = (status: number, type: string) =>
  `HTTP/1.1 ${status} X\r\nconnection: close\r\n${type === '' ? '' : `content-type: ${type}\r\n`}\r\n`
const event = (type: string, json: string) => `event: ${type}\ndata: {"type":"${type}"${json}}\n\n`
const begin = event(
  'message_start',
  ',"message":{"id":"msg_1","model":"m","usage":{"input_tokens":3}}',
)
const end =
  event('message_delta', ',"delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":5}') +
  event('message_stop', '')
const { path, ask } = routes.messages

async function call(...parts: readonly string[]) {
  answer = parts
  const reply = await rawCall(gateway.port, { path, body: { ...ask, stream: true } })
  assert.equal(reply.body.toString(), parts.slice(1).join(''))
  return gateway.ended(headerOf(reply.headers, 'x-sluice-interception-id') ?? '')
}

for (const type of ['', 'text/plain', 'application/json', 'application/octet-stream']) {
  for (const [what, parts] of Object.entries({
    'as it is': [begin, end],
    'behind white space and a comment': ['\r\n', `\n\n: busy\n\n${begin}`, end],
    'with its first word cut': [begin.slice(0, 3), begin.slice(3), end],
  })) {
    test(`a stream that is said to be ${type || 'nothing'} is read as one, ${what}`, async () => {
      const stored = await call(head(200, type), ...parts)
      assert.deepEqual([stored.end.outcome, stored.end.finishReason], ['completed', 'end_turn'])
      assert.deepEqual(
        stored.tokenUsages.map(({ inputTokens, outputTokens }) => [inputTokens, outputTokens]),
        [[3, 5]],
      )
    })
  }
}

test('one that breaks off keeps what came', async () => {
  cut = true
  const stored = await call(head(200, 'text/plain'), begin)
  cut = false
  assert.equal(stored.end.outcome, 'upstream_cut')
  assert.equal(stored.tokenUsages[0]?.inputTokens, 3)
})

test('a refusal in JSON that is said to be a stream is told in its own words', async () => {
  const error = '{"type":"error","error":{"type":"invalid_request_error","message":"too hot"}}'
  for (const refusal of [error, ` ${error}`, event('error', error.slice(15, -1))]) {
    const { end } = await call(head(400, 'text/event-stream'), refusal)
    assert.deepEqual(
      [end.outcome, end.errorType, end.errorMessage],
      ['failed', 'bad_request', 'too hot'],
    )
  }
})

test('a whole body under any name is read as before, and a text is judged by its status', async () => {
  const body =
    '{"id":"msg_1","content":[],"stop_reason":"max_tokens","usage":{"input_tokens":3,"output_tokens":4}}'
  for (const type of ['', 'text/plain', 'application/json']) {
    const stored = await call(head(200, type), body)
    assert.equal(stored.end.finishReason, 'max_tokens')
    assert.equal(stored.tokenUsages[0]?.outputTokens, 4)
    const text = await call(head(200, type), 'data is what I have none of')
    assert.equal(text.end.outcome, 'completed')
  }
})

test('the usage that was asked for in the client’s stead is taken out of a stream without a name, too', async () => {
  const text =
    'data: {"id":"c","choices":[{"index":0,"delta":{"content":"Hi"},"finish_reason":"stop"}]}\n\n'
  const usage =
    'data: {"id":"c","choices":[],"usage":{"prompt_tokens":3,"completion_tokens":5}}\n\n'
  const done = 'data: [DONE]\n\n'
  answer = [head(200, 'text/plain'), text, usage, done]
  const { path, ask } = routes.chat
  const reply = await rawCall(asking.port, { path, body: { ...ask, stream: true } })
  assert.equal(reply.body.toString(), text + done)
  const stored = await asking.ended(headerOf(reply.headers, 'x-sluice-interception-id') ?? '')
  assert.equal(stored.tokenUsages[0]?.outputTokens, 5)
})
