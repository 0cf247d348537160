import { deepEqual, equal, ok } from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import {
  concatMap,
  delay,
  EMPTY,
  finalize,
  ignoreElements,
  map,
  NEVER,
  Observable,
  of,
  tap,
} from 'rxjs'
import { Diagnostics } from '../src/core/diagnostics.ts'
import { ofType } from '../src/core/events.ts'
import type { Plugin } from '../src/core/plugin.ts'
import type { RecordBody } from '../src/core/records.ts'
import { toRecords } from '../src/core/to-records.ts'
import { capturers } from '../src/plugins/capturers.ts'
import { structuredLogger } from '../src/plugins/structured-logger.ts'
import { watchProcessFaults } from '../src/server/process-faults.ts'
import { ask, essence, type Got, type TestGateway, testGateway, until } from './support/harm.ts'
import { capturingLogger, type LoggedLine } from './support/log-lines.ts'

/** One way to fail, and what the gateway makes of it. */
interface Failure {
  readonly does: string
  readonly plugin: Omit<Plugin, 'name'>
  /** Which counter tells of it; null where nothing has failed. @default 'plugin_errors' */
  readonly counted?: 'plugin_errors' | 'records_dropped' | null
  /** How many records of its own are kept. @default 0 */
  readonly kept?: number
}

type Observe = NonNullable<Plugin['observe']>
const fault = () => {
  throw new Error('made to fail')
}
const observing = (observe: (...args: Parameters<Observe>) => unknown): Omit<Plugin, 'name'> => ({
  observe: observe as Observe,
})
const note = (members: object = {}) => ({ type: 'note', ...members }) as unknown as RecordBody
/** Ends what hangs. */
const hanging: (() => void)[] = []
const circle: { self?: unknown } = {}
circle.self = circle

const failures: readonly Failure[] = [
  { does: 'throws at once', plugin: observing(fault) },
  {
    does: 'throws what has no text',
    plugin: observing(() => {
      throw Object.create(null)
    }),
  },
  { does: 'throws in an operator', plugin: observing((events$) => events$.pipe(map(fault))) },
  {
    does: 'throws as it makes records of events',
    plugin: observing((events$) => events$.pipe(toRecords(fault))),
  },
  {
    does: 'throws in an operator in the middle of the answer',
    plugin: observing((events$) => events$.pipe(ofType('text'), map(fault))),
  },
  {
    does: 'throws in an operator on a timer',
    plugin: observing((events$) => events$.pipe(delay(1), map(fault))),
  },
  {
    does: 'throws on complete',
    plugin: observing((events$) => events$.pipe(ignoreElements(), tap({ complete: fault }))),
  },
  {
    does: 'throws at the end event',
    plugin: observing((events$) => events$.pipe(ofType('end'), map(fault))),
  },
  {
    does: 'throws in finalize',
    plugin: observing((events$) => events$.pipe(ignoreElements(), finalize(fault))),
  },
  {
    does: 'throws in finalize on a timer',
    plugin: observing((events$) =>
      events$.pipe(
        delay(1),
        map(() => note({ key: 'one' })),
        finalize(fault),
      ),
    ),
    kept: 1,
  },
  {
    does: 'errors and throws in finalize',
    plugin: observing((events$) => events$.pipe(map(fault), finalize(fault))),
  },
  { does: 'returns a promise that rejects', plugin: observing(async () => fault()) },
  { does: 'returns a promise of junk', plugin: observing(async () => 'hello') },
  ...[undefined, null, 5, 'hello', {}, true, [null, 1, 'x', {}, { type: 7 }, []], () => []].map(
    (junk): Failure => ({ does: `returns ${nameOf(junk)}`, plugin: observing(() => junk) }),
  ),
  { does: 'never ends', plugin: observing(() => NEVER) },
  {
    does: 'never ends and throws on unsubscribe',
    plugin: observing(() => new Observable(() => fault)),
  },
  {
    does: 'changes an event',
    plugin: observing((events$) =>
      events$.pipe(
        tap((event) => Object.assign(event, { type: 'x' })),
        map(() => note()),
      ),
    ),
  },
  {
    does: 'changes what an event holds',
    plugin: observing((events$) =>
      events$.pipe(
        ofType('usage'),
        tap(({ metadata }) => Object.assign(metadata, { more: 1 })),
        map(() => note()),
      ),
    ),
  },
  {
    does: 'changes the interception',
    plugin: observing((_, interception) => [Object.assign(interception.initiator, { id: 'x' })]),
  },
  {
    does: 'writes over the bytes of frames$',
    plugin: observing((_, { frames$ }) =>
      frames$.pipe(
        tap(({ bytes }) => bytes.fill(0)),
        concatMap(() => EMPTY),
      ),
    ),
    counted: null,
  },
  {
    does: 'throws in frames$',
    plugin: observing((_, { frames$ }) => frames$.pipe(map(fault))),
  },
  {
    does: 'throws in a finalize behind frames$',
    plugin: observing((_, { frames$ }) =>
      frames$.pipe(concatMap(() => of(1).pipe(finalize(fault)))),
    ),
  },
  {
    does: 'emits after the end',
    plugin: observing((events$) =>
      events$.pipe(
        ofType('end'),
        delay(20),
        map(() => note()),
      ),
    ),
    counted: null,
    kept: 1,
  },
  {
    does: 'blocks the thread',
    plugin: observing((events$) =>
      events$.pipe(
        ofType('finish'),
        tap(() => block(80)),
        map(() => note()),
      ),
    ),
    kept: 1,
  },
  { does: 'blocks the thread at once', plugin: observing(() => block(80)) },
  {
    does: 'emits without end',
    plugin: observing(function* () {
      for (;;) yield note()
    }),
    kept: 1000,
  },
  {
    does: 'emits 100,000 records',
    plugin: observing((events$) =>
      events$.pipe(
        ofType('request'),
        concatMap(() => Array.from({ length: 100_000 }, () => note())),
      ),
    ),
    counted: 'records_dropped',
    kept: 1000,
  },
  ...['interception_start', 'interception_end'].map(
    (type): Failure => ({
      does: `emits an ${type}`,
      plugin: observing(() => [{ type, outcome: 'x' }]),
    }),
  ),
  { does: 'emits a circle', plugin: observing(() => [note({ circle })]) },
  { does: 'emits a BigInt', plugin: observing(() => [note({ size: 5n })]) },
  { does: 'emits a function', plugin: observing(() => [note({ call: () => 1 })]) },
  {
    does: 'emits what throws when read',
    plugin: observing(() => [
      {
        get type() {
          return fault()
        },
      },
    ]),
  },
  { does: 'emits a key that is no text', plugin: observing(() => [note({ key: Symbol('key') })]) },
  { does: 'is a recorder that throws', plugin: { record: fault } },
  { does: 'is a recorder that rejects', plugin: { record: async () => fault() } },
  {
    does: 'is a recorder that hangs',
    plugin: { record: () => new Promise((resolve) => hanging.push(resolve)) },
    counted: null,
  },
  {
    does: 'is a recorder that is slow',
    plugin: { record: () => new Promise((resolve) => setTimeout(resolve, 100)) },
    counted: null,
  },
  {
    does: 'is a recorder that changes records',
    plugin: {
      record: (records) => {
        for (const record of records) Object.assign(record, { type: 'x' })
      },
    },
  },
  {
    does: 'is a recorder that changes what records hold',
    plugin: {
      record: (records) => {
        for (const record of records) {
          if ('metadata' in record) Object.assign(record.metadata as object, { more: 1 })
        }
      },
    },
  },
  { does: 'cannot be opened', plugin: { open: async () => fault(), observe: () => [note()] } },
]

for (const stream of [true, false]) {
  describe(`a plugin that fails, ${stream ? 'streamed' : 'blocking'}`, { concurrency: 8 }, () => {
    const open: TestGateway[] = []
    let usual: Awaited<ReturnType<typeof run>>

    before(async () => {
      usual = await run(null, stream, open)
      equal(usual.got.status, 200)
      ok(usual.logged.length >= 8, 'the usual run has records of all kinds')
    })
    after(async () => {
      for (const release of hanging) release()
      await Promise.all(open.map((gateway) => gateway.close()))
    })

    for (const failure of failures) {
      const { does, counted = 'plugin_errors', kept = 0 } = failure
      test(`${does}: costs nothing but its own records`, async () => {
        const { got, gateway, essence, logged, others } = await run(failure.plugin, stream, open)
        deepEqual(got.bytes.toString(), usual.got.bytes.toString())
        equal(got.status, 200)
        ok(got.whole)
        deepEqual(essence, usual.essence)
        deepEqual(logged, usual.logged)
        if (counted) {
          await until(() => gateway.gateway.diagnostics.total(counted) > 0)
          await until(() =>
            gateway.lines.some(({ message }) => /(plugin|recorder) bad/.test(message)),
          )
        } else {
          equal(gateway.gateway.diagnostics.total('plugin_errors'), 0)
        }
        await until(async () => (await others()) === kept)
      })
    }
  })
}

test('an error in a subscription of its own is a counted log line where `serve` watches the process', async () => {
  const lines: string[] = []
  const diagnostics = new Diagnostics((_, message) => lines.push(message))
  const stop = watchProcessFaults(diagnostics)
  const bad: Plugin = {
    name: 'bad',
    observe: (events$) => {
      events$.subscribe({ next: fault })
      return NEVER
    },
  }
  const gateway = await testGateway([bad], { settleTimeout: 50 })
  await ask(gateway.url)
  await until(() => diagnostics.total('unhandled_errors', { source: 'rxjs' }) > 0)
  deepEqual([...new Set(lines)], ['an error was caught by nothing'])
  await gateway.close()
  // RxJS throws on timers of its own, one an event: this one is behind them all.
  await new Promise((resolve) => setTimeout(resolve))
  stop()
})

interface Run {
  readonly got: Got
  readonly gateway: TestGateway
  readonly essence: unknown
  readonly logged: readonly LoggedLine[]
  /** How many records of the bad plugin are kept. */
  readonly others: () => Promise<number>
}

/** One interception with the bad plugin in front of four capturers, a logger and a store. */
async function run(
  bad: Omit<Plugin, 'name'> | null,
  stream: boolean,
  open: TestGateway[],
): Promise<Run> {
  const { logger, lines } = capturingLogger()
  const plugins = [...capturers(), structuredLogger({ logger })]
  const gateway = await testGateway(bad ? [{ name: 'bad', ...bad }, ...plugins] : plugins, {
    settleTimeout: 100,
  })
  open.push(gateway)
  const got = await ask(gateway.url, { stream })
  const stored = await gateway.kept(got.id)
  await until(() => lines.some(({ record_type }) => record_type === 'interception_end'))
  const logged = lines.filter(({ record_type }) => record_type !== 'note').map(lasting)
  const others = async () => (await gateway.kept(got.id)).others.length
  return { got, gateway, essence: essence(stored), logged, others }
}

/** A line less what differs from one run to the next. */
function lasting(line: LoggedLine): LoggedLine {
  const volatile = /^(id|interception_id|created_at|session_id|timestamp|started_at|ended_at)$|_ms$/
  return Object.fromEntries(Object.entries(line).filter(([name]) => !volatile.test(name)))
}

/** Uses the thread, however busy the machine is. */
function block(ms: number): readonly never[] {
  const used = () => process.threadCpuUsage().user / 1000
  const until = used() + ms
  while (used() < until);
  return []
}

function nameOf(junk: unknown): string {
  return typeof junk === 'function' ? 'a function' : (JSON.stringify(junk) ?? 'undefined')
}
