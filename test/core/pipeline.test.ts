import { deepEqual, equal, ok } from 'node:assert/strict'
import { test } from 'node:test'
import { from, map, mergeMap, of } from 'rxjs'
import { Diagnostics } from '../../src/core/diagnostics.ts'
import { type EndEvent, type InterceptionEvent, ofType } from '../../src/core/events.ts'
import { Pipeline } from '../../src/core/pipeline.ts'
import type { Plugin } from '../../src/core/plugin.ts'
import { RecorderQueue } from '../../src/core/recorder-queue.ts'
import type { InterceptionRecord, RecordBody } from '../../src/core/records.ts'
import { promptCapturer } from '../../src/plugins/prompt-capturer.ts'
import { tokenCounter } from '../../src/plugins/token-counter.ts'
import { fakeInterception } from '../../src/testing.ts'
import { end, start } from '../support/stored-records.ts'

const { id: _i, interceptionId: _a, seq: _s, createdAt: _c, type: _t, ...startBody } = start('x')
const { id: _j, interceptionId: _b, seq: _r, createdAt: _d, type: _u, ...endBody } = end('x')
const endEvent: EndEvent = {
  type: 'end',
  outcome: 'completed',
  errorType: null,
  errorMessage: null,
}

const request: InterceptionEvent = {
  type: 'request',
  model: 'm',
  prompt: { text: 'What?', raw: 'What?' },
  toolResults: [],
}
const usage = (outputTokens: number, final: boolean): InterceptionEvent => ({
  type: 'usage',
  messageId: 'msg_1',
  round: 0,
  inputTokens: 1,
  outputTokens,
  cacheReadInputTokens: 0,
  cacheWriteInputTokens: 0,
  metadata: {},
  final,
})

/** What two recorders get of one interception: one that wants provisional figures, and one that does not. */
async function run(
  plugins: readonly Plugin[],
  events: readonly InterceptionEvent[],
  { recordContent = true, maxRecords = 1000 } = {},
) {
  const all: InterceptionRecord[] = []
  const final: InterceptionRecord[] = []
  const diagnostics = new Diagnostics(() => {})
  const recorders: Plugin[] = [
    { name: 'stores', provisional: true, record: (batch) => void all.push(...batch) },
    { name: 'logs', record: (batch) => void final.push(...batch) },
  ]
  const queues = recorders.map((plugin) => new RecorderQueue(plugin, diagnostics))
  const options = { plugins, queues, diagnostics, maxRecords, settleTimeout: 100, recordContent }
  const pipeline = new Pipeline(fakeInterception(), startBody, options)
  for (const event of events) pipeline.emit([event])
  await pipeline.end(endEvent, endBody)
  await Promise.all(queues.map((queue) => queue.committed(queue.position)))
  return { all, final, diagnostics }
}

const observer = (name: string, bodies: readonly object[]): Plugin => ({
  name,
  observe: () => from(bodies as RecordBody[]),
})

test('start and end are recorded by the core, first and last, whatever the plugins do', async () => {
  const { all } = await run([], [])
  deepEqual(
    all.map(({ type, seq }) => [type, seq]),
    [
      ['interception_start', 0],
      ['interception_end', 1],
    ],
  )
})

test('figures that will be replaced go only to recorders that replace; both get the last ones', async () => {
  const { all, final } = await run(
    [tokenCounter()],
    [usage(1, false), usage(5, false), usage(9, true)],
  )
  const tokens = (records: readonly InterceptionRecord[]) =>
    records
      .filter((record) => record.type === 'token_usage')
      .map(({ outputTokens }) => outputTokens)
  deepEqual(tokens(all), [1, 5, 9])
  deepEqual(tokens(final), [9])
})

test('a record that is written again has the same id, place and time', async () => {
  const { all } = await run(
    [tokenCounter(), observer('other', [{ type: 'note' }])],
    [usage(1, false), usage(9, true)],
  )
  const usages = all.filter(({ type }) => type === 'token_usage')
  equal(new Set(usages.map(({ id, seq, createdAt }) => `${id} ${seq} ${createdAt}`)).size, 1)
  deepEqual([...new Set(all.map(({ seq }) => seq))].sort(), [0, 1, 2, 3])
})

test('ids follow from interception, plugin, type and key: the same again, each other one different', async () => {
  const bodies = [
    { type: 'note' },
    { type: 'note' },
    { type: 'note', key: '0' },
    { type: 'note', key: '1' },
    { type: 'other', key: '1' },
  ]
  const plugins = [observer('one', bodies), observer('two', bodies)]
  const ids = (records: readonly InterceptionRecord[]) => records.map(({ id }) => id)
  const first = ids((await run(plugins, [])).all)
  deepEqual(ids((await run(plugins, [])).all), first)
  equal(new Set(first).size, 12)
  for (const id of first) {
    ok(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(id))
  }
})

test('a plugin may make so many records of one interception, and replace them as often as it likes', async () => {
  const bodies = [1, 2, 3, 4, 5].flatMap((value) => [
    { type: 'note', key: 'same', value },
    { type: 'note', value },
  ])
  const { all, diagnostics } = await run([observer('busy', bodies)], [], { maxRecords: 3 })
  const notes = all.slice(1, -1) as unknown as { id: string; value: number }[]
  deepEqual([...new Map(notes.map(({ id, value }) => [id, value])).values()], [5, 1, 2])
  equal(diagnostics.total('records_dropped', { recorder: 'busy', reason: 'max_records' }), 3)
})

test('recordContent off: what people and models wrote leaves nobody; names, counts and usage stay', async () => {
  const call: InterceptionEvent = {
    type: 'tool_call',
    messageId: 'msg_1',
    toolCallId: 'call_1',
    itemId: null,
    tool: 'Bash',
    input: '{"command":"secret"}',
    serverUrl: null,
    injected: false,
    invocationError: null,
    durationMs: null,
    metadata: {},
  }
  const toolCalls: Plugin = {
    name: 'tools',
    observe: (events$) =>
      events$.pipe(
        ofType('tool_call'),
        mergeMap(({ type: _, messageId: msgId, ...rest }) =>
          of(
            { type: 'tool_usage' as const, msgId, ...rest },
            {
              type: 'tool_result' as const,
              toolCallId: 'c',
              isError: false,
              bytes: 6,
              content: 'secret',
            },
            {
              type: 'model_thought' as const,
              msgId,
              index: 0,
              redacted: false,
              content: 'secret',
              metadata: { source: 'thinking' as const },
            },
          ),
        ),
      ),
  }
  const events = [{ ...request, prompt: { text: 'secret', raw: 'secret' } }, call]
  const { all, final } = await run([promptCapturer(), toolCalls], events, { recordContent: false })
  equal(JSON.stringify([all, final]).includes('secret'), false)
  const seen = final.map((record) => ('tool' in record ? record.tool : record.type))
  deepEqual(seen, [
    'interception_start',
    'prompt_usage',
    'Bash',
    'tool_result',
    'model_thought',
    'interception_end',
  ])
})

test('what is recorded is a frozen copy: neither its author nor a recorder changes it for others', async () => {
  const shared = { list: [1] }
  const author: Plugin = {
    name: 'author',
    observe: (events$) =>
      events$.pipe(
        ofType('end'),
        map(() => {
          queueMicrotask(() => shared.list.push(2))
          return { type: 'note', shared } as unknown as RecordBody
        }),
      ),
  }
  const { all } = await run([author], [])
  const note = all.find(({ type }) => (type as string) === 'note') as unknown as { shared: object }
  deepEqual(note.shared, { list: [1] })
  ok(Object.values(note).every((value) => Object.isFrozen(value)))
})
