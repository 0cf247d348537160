import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import type { GatewayOptions } from '../../src/core/gateway-options.ts'
import type { StoredInterception } from '../../src/core/recorder.ts'
import { answers } from '../../src/plugins/answers.ts'
import { startGateway } from '../support/gateway.ts'
import { routes } from '../support/questions.ts'
import { rawCall } from '../support/raw-client.ts'

const gateways = await Promise.all([
  startGateway({ plugins: [answers()] }),
  startGateway({ plugins: [answers({ maxBytes: 10 })] }),
  startGateway({ plugins: [answers()], recordContent: false } satisfies Partial<GatewayOptions>),
  startGateway(),
])
const [whole, short, empty, none] = gateways
after(() => Promise.all(gateways.map((gateway) => gateway.close())))

const text = 'Grüße: 漢字 und 😀, noch ein Wort.'
const bytes = Buffer.byteLength(text)

async function answersOf(
  gateway: typeof whole,
  route: keyof typeof routes,
  stream: boolean,
  reply = {},
): Promise<unknown[]> {
  const { path, ask } = routes[route]
  gateway.upstream.next({ answer: { text }, ...reply })
  await rawCall(gateway.port, { path, body: { ...ask, stream } })
  const newest = await latest(gateway)
  return newest.others.map((record) => {
    assert.equal(record.type, 'answer')
    assert.notEqual(record.msgId, '')
    const { choice, bytes, text, truncated } = record
    return { choice, bytes, text, ...(truncated && { truncated }) }
  })
}

async function latest(gateway: typeof whole): Promise<StoredInterception> {
  const [newest] = await gateway.interceptions()
  return gateway.ended(newest?.id ?? '')
}

for (const route of ['messages', 'chat', 'responses'] as const) {
  test(`${route}: the reply’s text is kept, the same streamed and whole`, async () => {
    const expected = [{ choice: 0, bytes, text }]
    assert.deepEqual(await answersOf(whole, route, true), expected)
    assert.deepEqual(await answersOf(whole, route, false), expected)
  })

  test(`${route}: a long text is cut between characters, and marked`, async () => {
    const expected = [{ choice: 0, bytes, text: 'Grüße: ', truncated: ['text'] }]
    assert.deepEqual(await answersOf(short, route, true), expected)
    assert.deepEqual(await answersOf(short, route, false), expected)
  })
}

test('of a stream that is cut the text is kept as far as it came', async () => {
  const [answer] = (await answersOf(whole, 'chat', true, { cut: 3, how: 'fin' })) as [
    { text: string },
  ]
  assert.ok(answer.text.length > 0 && answer.text.length < text.length)
  assert.ok(text.startsWith(answer.text))
})

test('an answer without words gives no record', async () => {
  assert.deepEqual(await answersOf(whole, 'messages', true, { answer: { text: '' } }), [])
})

test('without content only its length is kept', async () => {
  assert.deepEqual(await answersOf(empty, 'messages', true), [{ choice: 0, bytes, text: '' }])
})

test('without the plugin there is none', async () => {
  assert.deepEqual(await answersOf(none, 'messages', true), [])
})
