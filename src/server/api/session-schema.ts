import { z } from 'zod'
import { cost, count, initiator, time, toolUsage } from './interception-schema.ts'
import { outcome } from './parameters.ts'

const tokens = {
  input_tokens: count.meta({ description: 'Less cached ones.' }),
  output_tokens: count,
  cache_read_input_tokens: count,
  cache_write_input_tokens: count,
}
const tokenSums = z.object(tokens).meta({ id: 'TokenSums' })
const tokenSumsOfAll = z
  .object({
    ...tokens,
    metadata: z
      .record(z.string(), z.number())
      .meta({ description: 'Numbers in the metadata of token usages, summed by name.' }),
  })
  .meta({ id: 'TokenSumsWithMetadata' })

/** Sums beyond tokens. */
const sums = {
  interceptions: count,
  prompts: count.meta({ description: 'Of people.' }),
  tool_calls: count,
  cost_nano_usd: cost.nullable().meta({
    description: 'In billionths of a US dollar, as far as prices are known; null where none is.',
  }),
  unpriced: count.meta({ description: 'Replies whose price is not known: the cost lacks theirs.' }),
}
export const allSums = { ...sums, ...tokens }

const members = {
  id: z.string(),
  initiator,
  providers: z.array(z.string()).meta({ description: 'Types.' }),
  provider_names: z.array(z.string()),
  models: z.array(z.string()),
  client: z.string(),
  metadata: z.record(z.string(), z.unknown()),
  started_at: time,
  ended_at: time,
  last_active_at: time.meta({ description: 'Of the newest prompt, else of the start.' }),
}

export const session = z
  .object({
    ...members,
    threads: count.meta({ description: 'What people asked for.' }),
    token_usage_summary: tokenSums,
    last_prompt: z.string().optional(),
    ...sums,
  })
  .meta({ id: 'Session' })

const action = z
  .object({
    interception_id: z.string(),
    model: z.string(),
    token_usage: tokenSumsOfAll,
    thinking: z.array(z.object({ text: z.string() })),
    tool_calls: z.array(toolUsage),
  })
  .meta({ id: 'AgenticAction', description: 'The tools that an interception called.' })

const thread = z
  .object({
    id: z.string().meta({ format: 'uuid', description: 'Of the interception that began it.' }),
    prompt: z.string().optional(),
    model: z.string(),
    provider: z.string(),
    provider_name: z.string(),
    credential_kind: z.enum(['centralized', 'byok']),
    credential_hint: z.string(),
    outcome,
    error_type: z.string().nullable(),
    error_message: z.string().nullable(),
    started_at: time,
    ended_at: time,
    token_usage: tokenSumsOfAll,
    agentic_actions: z.array(action),
    ...sums,
  })
  .meta({ id: 'Thread', description: 'A prompt and all that the agent did for it.' })

export const sessionDetail = z
  .object({
    ...members,
    page_started_at: time.nullable().meta({ description: 'Of the threads on this page.' }),
    page_ended_at: time.nullable(),
    token_usage_summary: tokenSumsOfAll,
    threads: z.array(thread),
    ...sums,
  })
  .meta({ id: 'SessionDetail' })
