import { Counter, Gauge, Histogram, type Registry, register } from 'prom-client'
import { forgetOldest } from '../core/forget-oldest.ts'
import type { Plugin } from '../core/plugin.ts'
import type { FormatName, InterceptionRecord, RecordOf } from '../core/records.ts'
import { KnownNames } from './metrics/known-names.ts'

export interface MetricsOptions {
  /** Where the metrics are registered. @default prom-client's own registry */
  readonly registry?: Registry
  /** A label with the initiator's id: as many series as users, so only where they are few. @default false */
  readonly initiator?: boolean
  /** How many models and how many tools have series of their own; others are `other`. @default 200 */
  readonly maxNames?: number
}

type Start = RecordOf<'interception_start'>
type Labels = Readonly<Record<string, string>>

/** What the metrics need of an interception, also for records that come after its end. */
interface Seen {
  readonly start: Start
  readonly running: Labels
}

/** Counts in Prometheus' terms what is recorded, from the very records, so that both agree. */
export function metrics({
  registry = register,
  initiator = false,
  maxNames = 200,
}: MetricsOptions = {}): Plugin {
  const meters = createMeters(registry, initiator ? ['initiator_id'] : [])
  const models = new KnownNames(maxNames)
  const tools = new KnownNames(maxNames)
  const running = new Map<string, Seen>()
  const ended = new Map<string, Seen>()

  function labelsOf({ start }: Seen) {
    const { providerName: provider, client } = start
    const who = initiator ? { initiator_id: start.initiatorId } : {}
    return { provider, model: models.fold(start.model), client, ...who }
  }

  function began(start: Start): void {
    const { providerName: provider, model, format } = start
    const labels = { provider, model: models.fold(model), route: routes[format] }
    running.set(start.interceptionId, { start, running: labels })
    meters.inflight.inc(labels)
  }

  function over(record: RecordOf<'interception_end'>, seen: Seen): void {
    const { outcome, durationMs, upstreamMs, timeToFirstTokenMs } = record
    running.delete(record.interceptionId)
    ended.set(record.interceptionId, seen)
    forgetOldest(ended, 1000)
    // A model that answers exists; what else clients write there could be anything.
    if (outcome === 'completed') models.learn(seen.start.model)
    const { provider, model, client, ...who } = labelsOf(seen)
    const status = outcome === 'completed' ? 'completed' : 'failed'
    const route = routes[seen.start.format]
    meters.inflight.dec(seen.running)
    meters.interceptions.inc({
      provider,
      model,
      client,
      status,
      outcome,
      route,
      method: 'POST',
      ...who,
    })
    meters.duration.observe({ provider, model }, durationMs / 1000)
    if (upstreamMs !== null)
      meters.overhead.observe({ provider }, Math.max(0, durationMs - upstreamMs) / 1000)
    if (timeToFirstTokenMs !== null)
      meters.firstToken.observe({ provider, model }, timeToFirstTokenMs / 1000)
  }

  function used(record: RecordOf<'token_usage'>, seen: Seen): void {
    const labels = labelsOf(seen)
    const figures = {
      input: record.inputTokens,
      output: record.outputTokens,
      cache_read_input_tokens: record.cacheReadInputTokens,
      cache_write_input_tokens: record.cacheWriteInputTokens,
      ...record.metadata,
    }
    for (const [type, value] of Object.entries(figures))
      if (typeof value === 'number' && value > 0) meters.tokens.inc({ ...labels, type }, value)
    if (record.costNanoUsd !== null) meters.cost.inc(labels, record.costNanoUsd / 1e9)
  }

  function called(record: RecordOf<'tool_usage'>, seen: Seen): void {
    const { provider, model } = labelsOf(seen)
    tools.learn(record.tool)
    const labels = { provider, model, name: tools.fold(record.tool) }
    if (record.injected) meters.injected.inc({ ...labels, server: record.serverUrl ?? '' })
    else meters.selected.inc(labels)
  }

  function count(record: InterceptionRecord): void {
    if (record.type === 'interception_start') return began(record)
    const seen = running.get(record.interceptionId) ?? ended.get(record.interceptionId)
    if (!seen) return
    if (record.type === 'interception_end') over(record, seen)
    else if (record.type === 'token_usage') used(record, seen)
    else if (record.type === 'tool_usage') called(record, seen)
    else if (record.type === 'prompt_usage' && asksSomething(seen.start))
      meters.prompts.inc(labelsOf(seen))
  }

  return {
    name: 'metrics',
    record: (records) => {
      for (const record of records) count(record)
    },
  }
}

const routes: Readonly<Record<FormatName, string>> = {
  anthropic_messages: '/v1/messages',
  openai_chat: '/v1/chat/completions',
  openai_responses: '/v1/responses',
}

/** Whether its prompt is a person's: a root that serves no purpose of the client's own. */
function asksSomething({ threadRootId, purpose }: Start): boolean {
  return threadRootId === null && purpose === null
}

function createMeters(registry: Registry, who: readonly string[]) {
  const registers = [registry]
  const counter = (name: string, help: string, labelNames: readonly string[]) =>
    new Counter({ name: `sluice_${name}_total`, help, labelNames, registers })
  const histogram = (name: string, help: string, labelNames: string[], buckets: number[]) =>
    new Histogram({ name: `sluice_${name}_seconds`, help, labelNames, buckets, registers })
  const whose = ['provider', 'model', 'client', ...who]
  return {
    interceptions: counter('interceptions', 'Intercepted requests, by how they ended', [
      ...whose,
      'status',
      'outcome',
      'route',
      'method',
    ]),
    inflight: new Gauge({
      name: 'sluice_interceptions_inflight',
      help: 'Intercepted requests that have not ended',
      labelNames: ['provider', 'model', 'route'],
      registers,
    }),
    duration: histogram(
      'interceptions_duration',
      'From the request to the end of the reply',
      ['provider', 'model'],
      [0.5, 2, 5, 15, 30, 60, 120, 300],
    ),
    overhead: histogram(
      'overhead',
      'Time in the gateway that was not spent waiting for the upstream',
      ['provider'],
      [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1],
    ),
    firstToken: histogram(
      'time_to_first_token',
      'From the request to the first word of the model',
      ['provider', 'model'],
      [0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60],
    ),
    prompts: counter('prompts', 'Prompts of people', whose),
    tokens: counter('tokens', 'Tokens, by type', [...whose, 'type']),
    cost: counter(
      'cost_usd',
      'What the tokens cost in US dollars, as far as prices are known',
      whose,
    ),
    injected: counter('injected_tool_invocations', 'Calls of tools that the gateway added', [
      'provider',
      'model',
      'server',
      'name',
    ]),
    selected: counter('non_injected_tool_selections', 'Calls of tools that the client runs', [
      'provider',
      'model',
      'name',
    ]),
  }
}
