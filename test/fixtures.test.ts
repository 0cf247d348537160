import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import { after, test } from 'node:test'
import { createReader } from '../src/core/create-reader.ts'
import type { Format } from '../src/core/format.ts'
import { parseJson } from '../src/core/json.ts'
import type { StoredInterception } from '../src/core/recorder.ts'
import { chunked, randomCuts } from './support/cuts.ts'
import { startGateway, type TestGateway } from './support/gateway.ts'
import { type RawAnswer, rawCall } from './support/raw-client.ts'
import { headerOf } from './support/raw-http.ts'
import {
  formatOf,
  lacking,
  type RecordedExchange,
  recordedExchanges,
  recordedReply,
  recordedRequest,
} from './support/recorded-exchanges.ts'

/** A recorded reply: status, headers that matter, body. */
interface Recorded {
  readonly status: number
  readonly statusText: string
  readonly type: string
  readonly body: Buffer
}

const cases = recordedExchanges.filter(({ mcpInjection }) => !mcpInjection)

test('recorded exchanges', { skip: lacking }, () => assert.ok(cases.length > 25))

const bench = lacking ? undefined : await startGateway()
after(() => bench?.close())

for (const each of cases) {
  const { name, expect } = each
  test(`${name} reaches the client untouched and is on record`, async () => {
    const gateway = bench as TestGateway
    const recorded = reply(name)
    const answer = await exchange(gateway, each, recorded, [recorded.body])
    assertSame(answer, recorded)
    assert.equal(answer.status, expect.status)
    if (expect.passthrough) {
      assert.equal(headerOf(answer.headers, 'x-sluice-interception-id'), undefined)
      return
    }
    const id = headerOf(answer.headers, 'x-sluice-interception-id') ?? ''
    assertRecords(await gateway.ended(id), expect)
  })

  if (expect.passthrough) continue
  test(`${name} is the same a byte at a time`, async () => {
    const gateway = bench as TestGateway
    const recorded = reply(name)
    const most = recorded.body.subarray(0, 4000).keys().drop(1)
    const answer = await exchange(gateway, each, recorded, chunked(recorded.body, [...most]))
    assertSame(answer, recorded)
    const id = headerOf(answer.headers, 'x-sluice-interception-id') ?? ''
    assertRecords(await gateway.ended(id), expect)
  })

  test(`${name} is read the same wherever it is cut`, async () => {
    const recorded = reply(name)
    const { body } = recorded
    const whole = await read(formatOf(each.path), recorded, [body])
    assert.ok(whole.bytes.equals(body))
    const cuts = body.length < 10_000 ? body.keys().drop(1) : randomCuts(body, 500)
    for (const cut of cuts) {
      const halves = await read(formatOf(each.path), recorded, chunked(body, [cut]))
      assert.ok(halves.bytes.equals(body), `other bytes when cut at ${cut}`)
      assert.equal(halves.events, whole.events, `other events when cut at ${cut}`)
    }
  })
}

/** What the relay's reader passes on and tells of a reply in these pieces. */
async function read(
  format: Format,
  { status, type }: Recorded,
  chunks: readonly Buffer[],
): Promise<{ bytes: Buffer; events: string }> {
  const events: unknown[] = []
  const { reader } = createReader(
    { status, statusText: '', headers: ['content-type', type], body: Readable.from([]) },
    {
      format,
      roundNumber: 0,
      wantsStream: true,
      askedUsage: false,
      emit: (more) => events.push(...more),
      terminal: () => events.push('terminal'),
      skim: () => false,
      frame: () => {},
    },
  )
  const passed: Uint8Array[] = []
  for (const chunk of chunks) {
    const { pass, held } = reader.push(chunk)
    passed.push(pass ?? none, held ?? none)
    reader.observe()
  }
  passed.push((await reader.end()) ?? none)
  events.push(reader.verdict(), ...reader.finish())
  return { bytes: Buffer.concat(passed), events: JSON.stringify(events) }
}

const none = new Uint8Array()

async function exchange(
  { upstream, port }: TestGateway,
  { name, path, method }: RecordedExchange,
  { status, statusText, type, body }: Recorded,
  chunks: readonly Buffer[],
): Promise<RawAnswer> {
  const count = upstream.requests.length
  const streamed = type.startsWith('text/event-stream')
  upstream.next({
    status,
    statusText,
    raw: chunks,
    headers: ['Content-Type', type, ...(streamed ? [] : ['Content-Length', String(body.length)])],
  })
  const sent = recordedRequest(name)
  const answer = await rawCall(port, { path, method, ...(sent && { body: sent }) })
  assert.equal(upstream.requests.length, count + 1, 'one upstream call a round')
  assert.deepEqual(upstream.requests[count]?.body, sent ?? Buffer.alloc(0))
  return answer
}

function assertSame(answer: RawAnswer, { status, statusText, type, body }: Recorded): void {
  assert.equal(answer.status, status)
  assert.equal(answer.statusText, statusText)
  assert.equal(headerOf(answer.headers, 'content-type'), type)
  assert.ok(answer.body.equals(body), 'the very bytes')
  assert.equal(answer.end, 'whole')
}

function assertRecords(stored: StoredInterception, expect: RecordedExchange['expect']): void {
  const { start, end, userPrompts, tokenUsages, toolUsages, modelThoughts } = stored
  assert.equal(start.model, expect.model)
  assert.equal(start.correlatingToolCallId, expect.correlatingToolCallId)
  assert.deepEqual(
    userPrompts.map(({ prompt }) => prompt),
    [expect.prompt],
  )
  assert.equal(end?.outcome, expect.outcome)
  assert.equal(end?.httpStatus, expect.status)
  assert.equal(end?.observed, 'full')
  assert.deepEqual(
    tokenUsages.map((usage) => ({
      responseId: usage.msgId,
      input: usage.inputTokens,
      output: usage.outputTokens,
      cacheRead: usage.cacheReadInputTokens,
      cacheWrite: usage.cacheWriteInputTokens,
    })),
    expect.tokens,
  )
  assert.deepEqual(
    toolUsages.map(({ tool, input, toolCallId }) => [tool, parseJson(input) ?? input, toolCallId]),
    expect.tools.map(({ name, args, toolCallId }) => [name, args, toolCallId]),
  )
  assert.deepEqual(
    modelThoughts.map(({ content, metadata: { source } }) => ({
      source,
      length: content.length,
      sha256: createHash('sha256').update(content).digest('hex'),
    })),
    expect.thoughts.map(({ source, length, sha256 }) => ({ source, length, sha256 })),
  )
}

/** `.http` files hold status and headers, too; all are given a fitting length. */
function reply(name: string): Recorded {
  const { file, bytes: content } = recordedReply(name)
  const plain = { status: 200, statusText: 'OK', body: content }
  if (file.endsWith('.sse')) return { ...plain, type: 'text/event-stream' }
  if (file.endsWith('.json')) return { ...plain, type: 'application/json' }
  const head = content.toString('latin1').split(/\r?\n\r?\n/)[0] ?? ''
  const [, status, statusText = ''] = /^HTTP\/\S+ (\d+) ?(.*)/.exec(head) ?? []
  const body = content.subarray(content.indexOf('{'))
  const type = /^content-type: *(.*)$/im.exec(head)?.[1] ?? ''
  return { status: Number(status), statusText, type, body }
}
