import type { UsageEvent } from '../events.ts'
import { countOf, type JsonObject, objectOf } from '../json.ts'

/** Where a format's usage object keeps which figure: under a name, or that of a member and one of its own. */
export type UsageTable = readonly {
  readonly figure: Figure
  readonly paths: readonly (readonly string[])[]
}[]

/** Figures with snake-case names go into a usage event's metadata as they are. */
type Figure =
  | 'total'
  | 'input'
  | 'uncachedInput'
  | 'output'
  | 'cacheRead'
  | 'cacheWrite'
  | MetadataFigure

type MetadataFigure =
  | 'reasoning_output_tokens'
  | 'audio_input_tokens'
  | 'audio_output_tokens'
  | 'cache_write_5m_input_tokens'
  | 'cache_write_1h_input_tokens'
  | 'web_search_requests'

/** Messages: input never includes cached tokens. The last names are those of look-alike vendors. */
export const anthropicUsage: UsageTable = usageTable({
  uncachedInput: ['input_tokens'],
  input: ['prompt_tokens'],
  output: ['output_tokens', 'completion_tokens'],
  cacheRead: ['cache_read_input_tokens', 'prompt_cache_hit_tokens', 'cached_tokens'],
  cacheWrite: ['cache_creation_input_tokens'],
  reasoning_output_tokens: ['output_tokens_details.thinking_tokens'],
  cache_write_5m_input_tokens: ['cache_creation.ephemeral_5m_input_tokens'],
  cache_write_1h_input_tokens: ['cache_creation.ephemeral_1h_input_tokens'],
  web_search_requests: ['server_tool_use.web_search_requests'],
})

/** Chat and Responses: input includes what was read from and written to a cache. */
export const openaiUsage: UsageTable = usageTable({
  total: ['total_tokens'],
  input: ['prompt_tokens', 'input_tokens'],
  // DeepSeek
  uncachedInput: ['prompt_cache_miss_tokens'],
  output: ['completion_tokens', 'output_tokens'],
  cacheRead: [
    'prompt_tokens_details.cached_tokens',
    'input_tokens_details.cached_tokens',
    // DeepSeek
    'prompt_cache_hit_tokens',
    // Kimi
    'cached_tokens',
    // Mistral
    'num_cached_tokens',
    'prompt_token_details.cached_tokens',
    // gateways in front of Anthropic
    'cache_read_input_tokens',
    'prompt_tokens_details.cache_read_tokens',
  ],
  cacheWrite: [
    'prompt_tokens_details.cache_write_tokens',
    'input_tokens_details.cache_write_tokens',
    'cache_write_tokens',
    'cache_creation_input_tokens',
    'prompt_tokens_details.cache_creation_tokens',
    'prompt_tokens_details.cache_creation_input_tokens',
    'input_tokens_details.cache_creation_tokens',
  ],
  reasoning_output_tokens: [
    'completion_tokens_details.reasoning_tokens',
    'output_tokens_details.reasoning_tokens',
    'output_tokens_details.thinking_tokens',
    'reasoning_tokens',
  ],
  audio_input_tokens: [
    'prompt_tokens_details.audio_tokens',
    'input_tokens_details.audio_tokens',
    'prompt_audio_tokens',
  ],
  audio_output_tokens: [
    'completion_tokens_details.audio_tokens',
    'output_tokens_details.audio_tokens',
  ],
  cache_write_5m_input_tokens: ['cache_creation.ephemeral_5m_input_tokens'],
  cache_write_1h_input_tokens: ['cache_creation.ephemeral_1h_input_tokens'],
  web_search_requests: ['server_tool_use.web_search_requests', 'num_search_queries'],
})

/** `a.b` is a member of a member. */
function usageTable(paths: Readonly<Partial<Record<Figure, readonly string[]>>>): UsageTable {
  return Object.entries(paths).map(([figure, paths]) => ({
    figure: figure as Figure,
    paths: paths.map((path) => path.split('.')),
  }))
}

const metadataFigures: readonly MetadataFigure[] = [
  'reasoning_output_tokens',
  'audio_input_tokens',
  'audio_output_tokens',
  'cache_write_5m_input_tokens',
  'cache_write_1h_input_tokens',
  'web_search_requests',
]

/** The tokens of one reply: each later figure that is not null replaces the earlier one. */
export class UsageTally {
  /** True once the provider has named any number of tokens. */
  seen = false
  serviceTier: string | undefined
  readonly #table: UsageTable
  readonly #figures: Partial<Record<Figure, number>> = {}

  constructor(table: UsageTable) {
    this.#table = table
  }

  add(usage: JsonObject): void {
    for (const { figure, paths } of this.#table) {
      const value = figureAt(usage, paths)
      if (value === undefined) continue
      this.#figures[figure] = value
      this.seen = true
    }
    if (typeof usage.service_tier === 'string') this.serviceTier = usage.service_tier
  }

  event(messageId: string, round: number, final: boolean): UsageEvent {
    const figures = this.#figures
    const cacheRead = figures.cacheRead ?? 0
    const cacheWrite = figures.cacheWrite ?? cacheWriteOfParts(figures)
    return Object.freeze({
      type: 'usage',
      messageId,
      round,
      inputTokens:
        figures.uncachedInput ?? Math.max(0, (figures.input ?? 0) - cacheRead - cacheWrite),
      outputTokens: outputOf(figures),
      cacheReadInputTokens: cacheRead,
      cacheWriteInputTokens: cacheWrite,
      metadata: this.#metadata(),
      final,
    })
  }

  #metadata(): UsageEvent['metadata'] {
    const metadata: Record<string, number | string> = {}
    for (const name of metadataFigures) {
      const value = this.#figures[name]
      if (value !== undefined) metadata[name] = value
    }
    if (this.serviceTier !== undefined) metadata.service_tier = this.serviceTier
    return Object.freeze(metadata)
  }
}

/** The first figure that is not 0: vendors fill one name and leave its synonyms at 0 or null. */
function figureAt(usage: JsonObject, paths: UsageTable[number]['paths']): number | undefined {
  let found: number | undefined
  for (const [name = '', member] of paths) {
    const value = countOf(member === undefined ? usage[name] : objectOf(usage[name])[member])
    if (value) return value
    found ??= value
  }
  return found
}

/** A split without its total; where both are there the total is the authority. */
function cacheWriteOfParts(figures: Partial<Record<Figure, number>>): number {
  return (figures.cache_write_5m_input_tokens ?? 0) + (figures.cache_write_1h_input_tokens ?? 0)
}

/** xAI leaves reasoning out of `completion_tokens`, but not out of the total that it bills. */
function outputOf({ total, input, output = 0, ...rest }: Partial<Record<Figure, number>>): number {
  const reasoning = rest.reasoning_output_tokens ?? 0
  return total !== undefined && input !== undefined && total === input + output + reasoning
    ? output + reasoning
    : output
}
