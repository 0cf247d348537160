import { z } from 'zod'
import { outcome } from './parameters.ts'

// What the API answers with; the documents and the tests hold every answer against it.

export const initiator = z
  .object({
    id: z.string(),
    username: z.string(),
    name: z.string().optional(),
    avatar_url: z.string().optional(),
  })
  .meta({ id: 'Initiator' })

const id = z.string().meta({ format: 'uuid' })
export const time = z.string().meta({ format: 'date-time' })
export const count = z.int().nonnegative()
const metadata = z.record(z.string(), z.unknown())
export const cost = z
  .number()
  .nonnegative()
  .meta({ description: 'In billionths of a US dollar, as far as prices are known.' })

/** What every record has beside its own. */
const stamp = {
  id,
  interception_id: id,
  created_at: time,
  late: z.literal(true).optional().meta({ description: 'It came after the end was recorded.' }),
  truncated: z
    .array(z.string())
    .optional()
    .meta({ description: 'Members that were cut to stay within a bound.' }),
  truncated_from: z
    .record(z.string(), z.object({ bytes: count, sha256: z.string() }))
    .optional()
    .meta({ description: 'Of what the store cut: its whole size and its hash.' }),
}
const ofReply = {
  ...stamp,
  msg_id: z.string().meta({ description: 'The same as `provider_response_id`.' }),
  provider_response_id: z.string(),
}

const tokenUsage = z
  .object({
    ...ofReply,
    input_tokens: count.meta({ description: 'Less cached ones.' }),
    output_tokens: count,
    cache_read_input_tokens: count,
    cache_write_input_tokens: count,
    cost_nano_usd: cost.nullable().meta({ description: 'Null where no price is known.' }),
    price_source: z.string().nullable(),
    price_version: z.string().nullable(),
    metadata,
  })
  .meta({ id: 'TokenUsage' })

const userPrompt = z
  .object({ ...ofReply, prompt: z.string(), raw_prompt: z.string(), metadata })
  .meta({ id: 'UserPrompt' })

export const toolUsage = z
  .object({
    ...ofReply,
    tool_call_id: z.string(),
    item_id: z.string().nullable(),
    server_url: z.string().meta({ description: 'Empty where there is none.' }),
    tool: z.string(),
    input: z.string().meta({ description: 'Usually JSON.' }),
    injected: z.boolean(),
    invocation_error: z.string().meta({ description: 'Empty where there is none.' }),
    duration_ms: z.number().nonnegative().nullable(),
    metadata,
  })
  .meta({ id: 'ToolUsage' })

const toolResult = z
  .object({
    ...stamp,
    tool_call_id: z.string(),
    is_error: z.boolean(),
    bytes: count,
    content: z.string().nullable(),
  })
  .meta({ id: 'ToolResult' })

const modelThought = z
  .object({ ...ofReply, index: count, redacted: z.boolean(), content: z.string(), metadata })
  .meta({ id: 'ModelThought' })

const otherRecord = z.looseObject({ ...stamp, record_type: z.string() }).meta({
  id: 'OtherRecord',
  description:
    'A record of a type that a plugin added; or, of the type `damaged`, one that the store cannot read any more.',
})

/** Each is null while it runs. */
const ended = {
  outcome: outcome.nullable().meta({ description: 'Null while it runs, as all of its end.' }),
  error_type: z.string().nullable(),
  error_message: z.string().nullable(),
  http_status: z.int().nullable(),
  finish_reason: z.string().nullable(),
  duration_ms: z.number().nullable(),
  time_to_first_token_ms: z.number().nullable(),
  upstream_ms: z.number().nullable(),
  request_bytes: count.nullable(),
  response_bytes: count.nullable(),
  observed: z.enum(['full', 'partial']).nullable(),
  drained: z.boolean().nullable(),
  ended_at: time.nullable(),
}

const members = {
  id,
  initiator,
  api_key_id: z.string().nullable(),
  provider: z.string().meta({ description: 'The type.' }),
  provider_name: z.string(),
  format: z.enum(['anthropic_messages', 'openai_chat', 'openai_responses']),
  model: z.string(),
  client: z.string(),
  client_session_id: z.string().nullable(),
  session_id: z.string(),
  thread_root_id: id.nullable(),
  thread_parent_id: id.nullable(),
  correlating_tool_call_id: z.string().nullable(),
  agent_id: z.string().nullable(),
  parent_agent_id: z.string().nullable(),
  purpose: z.string().nullable(),
  retry_of: id.nullable(),
  streaming: z.boolean(),
  credential_kind: z.enum(['centralized', 'byok']),
  credential_hint: z.string(),
  annotations: z.record(z.string(), z.string()),
  metadata,
  started_at: time,
  ...ended,
  truncated: stamp.truncated,
  truncated_from: stamp.truncated_from,
  token_usages: z.array(tokenUsage),
  user_prompts: z.array(userPrompt),
  tool_usages: z.array(toolUsage),
}

export const interception = z
  .object(members)
  .meta({ id: 'Interception', description: 'One request and its reply.' })

export const interceptionDetail = z
  .object({
    ...members,
    tool_results: z.array(toolResult),
    model_thoughts: z.array(modelThought),
    records: z.array(otherRecord),
  })
  .meta({ id: 'InterceptionDetail', description: 'One request and its reply, with all records.' })

export const counted = {
  count: count.meta({ description: 'All that match, whatever the page.' }),
  count_exact: z
    .literal(false)
    .optional()
    .meta({ description: 'There where `count` is a lower bound, or was counted a moment ago.' }),
}
