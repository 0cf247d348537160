import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import fc from 'fast-check'
import { chunked } from './support/cuts.ts'
import { startGateway } from './support/gateway.ts'
import { routes } from './support/questions.ts'
import { rawCall } from './support/raw-client.ts'
import { headerOf } from './support/raw-http.ts'
import { cuts, streams } from './support/streams.ts'

const gateway = await startGateway()
after(() => gateway.close())
const { upstream, port } = gateway
const mebibyte = 1024 * 1024

test('whatever a stream holds and however it comes, the client gets its bytes', async () => {
  await fc.assert(
    fc.asyncProperty(
      streams,
      fc.array(cuts, { maxLength: 8 }),
      fc.constantFrom(...Object.values(routes)),
      async (bytes, at, { path, ask }) => {
        const offsets = [...new Set(at.map((each) => each % bytes.length))]
        upstream.next({
          raw: chunked(
            bytes,
            offsets.sort((a, b) => a - b),
          ),
        })
        const { body, end } = await rawCall(port, { path, body: { ...ask, stream: true } })
        assert.deepEqual(body, bytes)
        assert.equal(end, 'whole')
      },
    ),
    { numRuns: 200 },
  )
})

test('whatever a blocking reply holds, the client gets its bytes', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(
        fc.uint8Array({ maxLength: 200 }),
        fc.json().map((text) => Buffer.from(text)),
      ),
      fc.constantFrom(...Object.values(routes)),
      async (bytes, { path, ask }) => {
        upstream.next({ raw: bytes })
        const { body, end } = await rawCall(port, { path, body: ask })
        assert.deepEqual(body, Buffer.from(bytes))
        assert.equal(end, 'whole')
      },
    ),
    { numRuns: 100 },
  )
})

test('whatever a request holds, the upstream gets its bytes', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.dictionary(fc.string(), fc.jsonValue(), { maxKeys: 6 }),
      fc.constantFrom('', ' ', '\n\t'),
      async (members, space) => {
        const text = `${space}${JSON.stringify(members, null, space)}${space}`
        const at = upstream.requests.length
        upstream.next({ raw: '{}' })
        await rawCall(port, { path: '/openai/v1/responses', body: text })
        assert.equal(upstream.requests[at]?.body.toString(), text)
      },
    ),
    { numRuns: 60 },
  )
})

for (const newline of ['lf', 'cr', 'crlf'] as const) {
  for (const [name, { path, ask }] of Object.entries(routes)) {
    test(`${name} with comments, unknown events, a byte order mark and ${newline}: same bytes, right records`, async () => {
      const call = { path, body: { ...ask, stream: true } }
      upstream.next({ newline, bom: true, extras: true, unended: true, split: 5 })
      const answer = await rawCall(port, call)
      const direct = await rawCall(upstream.port, {
        path: path.replace(/^\/\w+/, ''),
        body: call.body,
        headers: ['x-simulate', `bom extras unended newline=${newline}`],
      })
      assert.deepEqual(answer.body, direct.body)
      const { end, toolUsages } = await gateway.ended(idOf(answer.headers))
      assert.equal(end.outcome, 'completed')
      assert.equal(toolUsages.length, 1)
    })
  }
}

for (const [size, observed] of [
  [7, 'full'],
  [9, 'partial'],
] as const) {
  test(`an event of ${size} MiB passes, and what follows it is read`, async () => {
    const { path, ask } = routes.messages
    upstream.next({ answer: { text: 'Short.' }, fill: { events: 1, bytes: size * mebibyte } })
    const answer = await rawCall(port, { path, body: { ...ask, stream: true } })
    assert.equal(answer.end, 'whole')
    assert.ok(answer.body.length > size * mebibyte)
    assert.match(answer.body.subarray(-60).toString(), /message_stop/)
    const { end, tokenUsages } = await gateway.ended(idOf(answer.headers))
    assert.equal(end.outcome, 'completed')
    assert.equal(end.observed, observed)
    assert.equal(end.responseBytes, answer.body.length)
    assert.equal(tokenUsages.length, 1)
  })
}

test('a request of 30 MB reaches the upstream byte by byte and is read', async () => {
  const { path, ask } = routes.messages
  const body = Buffer.from(JSON.stringify({ ...ask, padding: 'é'.repeat(15_000_000) }))
  const at = upstream.requests.length
  const answer = await rawCall(port, { path, body })
  assert.equal(answer.status, 200)
  assert.ok(upstream.requests[at]?.body.equals(body))
  const { start, end, userPrompts } = await gateway.ended(idOf(answer.headers))
  assert.equal(start.model, ask.model)
  assert.equal(end.requestBytes, body.length)
  assert.equal(userPrompts.length, 1)
})

test('a blocking reply of 30 MB passes while others go on, and is read', async () => {
  const { path, ask } = routes.messages
  const text = 'ü'.repeat(15_000_000)
  upstream.next({ answer: { text, calls: [] } })
  const answer = await rawCall(port, { path, body: ask })
  assert.equal(answer.end, 'whole')
  const { content, usage } = JSON.parse(answer.body.toString())
  assert.ok(content.at(-1).text === text)
  const { end, tokenUsages } = await gateway.ended(idOf(answer.headers))
  assert.deepEqual([end.outcome, end.observed], ['completed', 'full'])
  assert.equal(tokenUsages[0]?.outputTokens, usage.output_tokens)
})

test('a blocking reply past the bound of what is read passes all the same', async () => {
  const { path, ask } = routes.messages
  const body = Buffer.alloc(33 * mebibyte, '1')
  upstream.next({ raw: body })
  const answer = await rawCall(port, { path, body: ask })
  assert.ok(answer.body.equals(body))
  const { end } = await gateway.ended(idOf(answer.headers))
  assert.deepEqual([end.outcome, end.observed], ['completed', 'partial'])
})

function idOf(headers: readonly string[]): string {
  return headerOf(headers, 'x-sluice-interception-id') ?? ''
}
