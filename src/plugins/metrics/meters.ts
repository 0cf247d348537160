import type { Registry } from 'prom-client'
import { type DurationSeries, Durations } from '../../core/durations.ts'
import type { Outcome } from '../../core/events.ts'
import type { FormatName } from '../../core/records.ts'
import { type Cell, Cells, exposeCells, exposeDurations } from './expose.ts'

/** What is counted for one provider, model, client and initiator. */
export interface Series {
  readonly prompts: Cell
  readonly cost: Cell
  readonly duration: DurationSeries
  readonly firstToken: DurationSeries
  tokens(type: string): Cell
  ended(outcome: Outcome, format: FormatName): Cell
}

/** The metrics that are made of records. Cells are kept at hand, so that counting a record makes no labels. */
export class Meters {
  readonly inflight: Cells = new Cells()
  readonly injected: Cells = new Cells()
  readonly selected: Cells = new Cells()
  readonly #interceptions = new Cells()
  readonly #prompts = new Cells()
  readonly #tokens = new Cells()
  readonly #cost = new Cells()
  readonly #duration = new Durations([0.5, 2, 5, 15, 30, 60, 120, 300])
  readonly #firstToken = new Durations([0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60])
  readonly #series = new Map<string, Series>()

  /** `initiator`: whether there is a label for it. */
  constructor(registry: Registry, initiator: boolean) {
    const counter = (name: string, cells: Cells, help: string, labelNames: readonly string[]) => {
      const family = { name: `sluice_${name}_total`, help, labelNames }
      exposeCells(registry, 'counter', family, () => cells.all())
    }
    // The last one, so that it can be left out.
    const who = initiator ? ['initiator_id'] : []
    const whose = ['provider', 'model', 'client']
    counter('interceptions', this.#interceptions, 'Intercepted requests, by how they ended', [
      ...whose,
      'status',
      'outcome',
      'route',
      'method',
      ...who,
    ])
    const inflight = {
      name: 'sluice_interceptions_inflight',
      help: 'Intercepted requests that have not ended',
      labelNames: ['provider', 'model', 'route'],
    }
    exposeCells(registry, 'gauge', inflight, () => this.inflight.all())
    const duration = {
      name: 'sluice_interceptions_duration_seconds',
      help: 'From the request to the end of the reply',
      labelNames: ['provider', 'model'],
    }
    exposeDurations(registry, duration, this.#duration)
    const firstToken = {
      name: 'sluice_time_to_first_token_seconds',
      help: 'From the request to the first word of the model',
      labelNames: ['provider', 'model'],
    }
    exposeDurations(registry, firstToken, this.#firstToken)
    counter('prompts', this.#prompts, 'Prompts of people', [...whose, ...who])
    counter('tokens', this.#tokens, 'Tokens, by type', [...whose, 'type', ...who])
    const cost = 'What the tokens cost in US dollars, as far as prices are known'
    counter('cost_usd', this.#cost, cost, [...whose, ...who])
    const injected = 'Calls of tools that the gateway added'
    const tool = ['provider', 'model', 'server', 'name']
    counter('injected_tool_invocations', this.injected, injected, tool)
    const selected = 'Calls of tools that the client runs'
    counter('non_injected_tool_selections', this.selected, selected, ['provider', 'model', 'name'])
  }

  routeOf(format: FormatName): string {
    return routes[format]
  }

  series(provider: string, model: string, client: string, who: string): Series {
    const key = `${provider}\0${model}\0${client}\0${who}`
    let series = this.#series.get(key)
    if (!series) {
      series = this.#create(provider, model, client, who)
      this.#series.set(key, series)
    }
    return series
  }

  #create(provider: string, model: string, client: string, who: string): Series {
    const tokens = new Map<string, Cell>()
    const ended = new Map<string, Cell>()
    return {
      prompts: this.#prompts.of(provider, model, client, who),
      cost: this.#cost.of(provider, model, client, who),
      duration: this.#duration.of(provider, model),
      firstToken: this.#firstToken.of(provider, model),
      tokens: (type) => {
        const known = tokens.get(type)
        if (known) return known
        const cell = this.#tokens.of(provider, model, client, type, who)
        tokens.set(type, cell)
        return cell
      },
      ended: (outcome, format) => {
        const known = ended.get(`${outcome} ${format}`)
        if (known) return known
        const status = outcome === 'completed' ? 'completed' : 'failed'
        const labels = [provider, model, client, status, outcome, routes[format], 'POST', who]
        const cell = this.#interceptions.of(...labels)
        ended.set(`${outcome} ${format}`, cell)
        return cell
      },
    }
  }
}

const routes: Readonly<Record<FormatName, string>> = {
  anthropic_messages: '/v1/messages',
  openai_chat: '/v1/chat/completions',
  openai_responses: '/v1/responses',
}
