import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { EventOf, EventType } from '../src/core/events.ts'
import { arrayOf, objectOf, parseJson } from '../src/core/json.ts'
import { chunked } from './support/cuts.ts'
import {
  formatOf,
  lacking,
  type RecordedExchange,
  recordedExchanges,
  recordedReply,
  recordedRequest,
} from './support/recorded-exchanges.ts'
import { type TriedRounds, tryRounds } from './support/tool-rounds.ts'

const cases = recordedExchanges.filter(
  ({ name }) => name.includes('injected') && !name.endsWith('no-mcp'),
)

test('recorded exchanges with injected tools', { skip: lacking }, () =>
  assert.ok(cases.length >= 8),
)

for (const each of cases) {
  test(`${each.name} is one answer to the client, with its calls on record`, async () => {
    assertCase(each, await tried(each))
  })

  test(`${each.name} is the same a byte at a time`, async () => {
    const whole = await tried(each)
    const bytes = await tried(each, (body) => chunked(body, [...body.keys().drop(1).take(40_000)]))
    assert.ok(bytes.bytes.equals(whole.bytes))
    assert.deepEqual(bytes.events.map(withoutDuration), whole.events.map(withoutDuration))
  })
}

async function tried(
  { name, path }: RecordedExchange,
  cut: (body: Buffer) => readonly Buffer[] = (body) => [body],
): Promise<TriedRounds> {
  return tryRounds({
    format: formatOf(path),
    request: String(recordedRequest(name)),
    rounds: ['response', 'response-2'].map((stem) => ({
      chunks: cut(recordedReply(name, stem).bytes),
    })),
    callTool: async () =>
      name.includes('_error')
        ? Promise.reject(new Error('forbidden'))
        : { content: [{ type: 'text', text: 'mock' }] },
  })
}

function assertCase({ expect, path, name, streaming }: RecordedExchange, got: TriedRounds) {
  assert.equal(got.requests.length, 2)
  assert.deepEqual(got.verdict, { outcome: 'completed' })
  // The second request repeats the first one and ends with the call's result.
  const list = path.endsWith('/responses') ? 'input' : 'messages'
  const sent = arrayOf(got.requests[1]?.[list])
  const result = JSON.stringify(sent.at(-1))
  assert.ok(result.includes(name.includes('_error') ? 'forbidden' : 'mock'))
  assert.ok(result.includes(expect.tools[0]?.toolCallId ?? '-'))
  assert.ok(JSON.stringify(sent[0]).includes(expect.prompt.slice(-20)))

  const calls = eventsOf(got, 'tool_call')
  assert.deepEqual(
    calls.map(({ tool, input, toolCallId, injected }) => [
      tool,
      parseJson(input),
      toolCallId,
      injected,
    ]),
    expect.tools.map(({ name, args, toolCallId }) => [name, args, toolCallId, true]),
  )
  assert.equal(calls[0]?.invocationError, name.includes('_error') ? 'forbidden' : null)
  assert.equal(calls[0]?.serverUrl, 'http://coder.test/mcp')
  const usage = eventsOf(got, 'usage').filter(({ final }) => final)
  assert.deepEqual(
    usage.map(({ messageId, inputTokens, outputTokens }) => [messageId, inputTokens, outputTokens]),
    expect.tokens.map(({ responseId, input, output }) => [responseId, input, output]),
  )
  assert.equal(eventsOf(got, 'finish').length, 1)

  // Of the calls the client sees nothing, of the rounds' ids one (Responses ends with the last one's).
  assert.ok(!got.text.includes(expect.tools[0]?.toolCallId ?? '-'))
  const [first, last] = expect.tokens.map(({ responseId }) => responseId)
  const ids = path.endsWith('/responses') ? (streaming ? [first, last] : [last]) : [first]
  for (const id of [first, last]) assert.equal(got.text.includes(id ?? '-'), ids.includes(id))
}

function eventsOf<T extends EventType>({ events }: TriedRounds, type: T): EventOf<T>[] {
  return events.filter((event): event is EventOf<T> => event.type === type)
}

function withoutDuration(event: unknown): unknown {
  return { ...objectOf(event), durationMs: null }
}
