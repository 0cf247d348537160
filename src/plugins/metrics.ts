import { type Registry, register } from 'prom-client'
import { forgetOldest } from '../core/forget-oldest.ts'
import type { Plugin } from '../core/plugin.ts'
import type { InterceptionRecord, InterceptionStart, RecordOf } from '../core/records.ts'
import type { Cell } from './metrics/expose.ts'
import { KnownNames } from './metrics/known-names.ts'
import { Meters } from './metrics/meters.ts'
import { ownCounts } from './metrics/own-counts.ts'
import { countTokens } from './metrics/token-types.ts'

export interface MetricsOptions {
  /** Where the metrics are registered. @default prom-client's own registry */
  readonly registry?: Registry
  /** A label with the initiator's id: as many series as users, so only where they are few. @default false */
  readonly initiator?: boolean
  /** How many models, tools and initiators have series of their own; others are `other`. @default 200 */
  readonly maxNames?: number
}

/** What the metrics need of an interception, also for records that come after its end. */
interface Seen {
  readonly start: InterceptionStart
  /** It alone is counted back: under the labels that it was counted under. */
  readonly inflight: Cell
  /** Prompts and tools of a model that may turn out to exist; null where nothing is to be waited for. */
  waiting: (() => void)[] | null
}

/** Counts in Prometheus' terms what is recorded, from the very records, so that both agree. */
export function metrics({
  registry = register,
  initiator = false,
  maxNames = 200,
}: MetricsOptions = {}): Plugin {
  const meters = new Meters(registry, initiator)
  const models = new KnownNames(maxNames)
  const tools = new KnownNames(maxNames)
  const initiators = new KnownNames(maxNames)
  const running = new Map<string, Seen>()
  const ended = new Map<string, Seen>()

  /** The series of an interception: what its labels say can change until its model has answered. */
  function seriesOf({ start }: Seen) {
    const { providerName, model, client, initiatorId } = start
    const who = initiator ? initiators.fold(initiatorId) : ''
    return meters.series(providerName, models.fold(model), client, who)
  }

  function began(start: RecordOf<'interception_start'>): void {
    const { providerName, model, format, initiatorId } = start
    if (initiator) initiators.learn(initiatorId)
    const inflight = meters.inflight.of(providerName, models.fold(model), meters.routeOf(format))
    inflight.value++
    const waiting = models.isSettled(model) ? null : []
    running.set(start.interceptionId, { start, inflight, waiting })
  }

  function over(record: RecordOf<'interception_end'>, seen: Seen): void {
    const { outcome, durationMs, timeToFirstTokenMs } = record
    running.delete(record.interceptionId)
    ended.set(record.interceptionId, seen)
    forgetOldest(ended, 1000)
    seen.inflight.value--
    // A model that answers exists; what else clients write there could be anything.
    if (outcome === 'completed') models.learn(seen.start.model)
    for (const count of seen.waiting ?? []) count()
    seen.waiting = null
    const series = seriesOf(seen)
    series.ended(outcome, seen.start.format).value++
    series.duration.observe(durationMs)
    if (timeToFirstTokenMs !== null) series.firstToken.observe(timeToFirstTokenMs)
  }

  function used(record: RecordOf<'token_usage'>, seen: Seen): void {
    // Of one that is made up nobody tells usage.
    models.learn(seen.start.model)
    const series = seriesOf(seen)
    countTokens(record, (type, count) => {
      series.tokens(type).value += count
    })
    if (record.costNanoUsd !== null) series.cost.value += record.costNanoUsd / 1e9
  }

  function called(name: string, server: string | null, seen: Seen): void {
    tools.learn(name)
    const { providerName, model } = seen.start
    const tool = [providerName, models.fold(model)] as const
    if (server === null) meters.selected.of(...tool, tools.fold(name)).value++
    else meters.injected.of(...tool, server, tools.fold(name)).value++
  }

  function prompted(seen: Seen): void {
    seriesOf(seen).prompts.value++
  }

  /** As soon as the model is known to exist, or the interception is over. */
  function soon(seen: Seen, count: () => void): void {
    if (seen.waiting && !models.isSettled(seen.start.model)) seen.waiting.push(count)
    else count()
  }

  function count(record: InterceptionRecord): void {
    if (record.type === 'interception_start') return began(record)
    const seen = running.get(record.interceptionId) ?? ended.get(record.interceptionId)
    if (!seen) return
    if (record.type === 'interception_end') over(record, seen)
    else if (record.type === 'token_usage') used(record, seen)
    else if (record.type === 'tool_usage') {
      const { tool, injected, serverUrl } = record
      soon(seen, () => called(tool, injected ? (serverUrl ?? '') : null, seen))
    } else if (record.type === 'prompt_usage' && asksSomething(seen.start))
      soon(seen, () => prompted(seen))
  }

  return {
    name: 'metrics',
    record: (records) => {
      for (const record of records) count(record)
    },
    open: async (context) => {
      if (context) ownCounts(registry, context.diagnostics)
    },
  }
}

/** Whether its prompt is a person's: a root that serves no purpose of the client's own. */
function asksSomething({ threadRootId, purpose }: InterceptionStart): boolean {
  return threadRootId === null && purpose === null
}
