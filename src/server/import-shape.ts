import { z } from 'zod'
import { outcomes } from '../core/events.ts'

// What a line of an export must hold to be imported. Members beyond are kept as they are.

const id = z
  .string()
  .regex(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/, {
    error: 'must be a UUID of version 7 in lower case',
  })
// Stores compare them as texts.
const time = z.iso.datetime({
  precision: 3,
  error: 'must be a time such as 2026-01-15T10:30:00.000Z',
})
const text = z.string()
const orNull = z.string().nullable()
const count = z.int().min(0)
const number = z.number()
const numberOrNull = z.number().nullable()
const object = z.record(z.string(), z.unknown())
const verbatim = object.optional()

const stamp = {
  seq: count,
  created_at: time,
  late: z.literal(true).optional(),
  truncated: z.array(text).optional(),
  truncated_from: object.optional(),
  verbatim,
}
const record = { id, interception_id: id, ...stamp }

const tokenUsage = z.looseObject({
  ...record,
  msg_id: text,
  input_tokens: number,
  output_tokens: number,
  cache_read_input_tokens: number,
  cache_write_input_tokens: number,
  cost_nano_usd: numberOrNull,
  price_source: orNull,
  price_version: orNull,
  metadata: object,
})

const userPrompt = z.looseObject({
  ...record,
  msg_id: text,
  prompt: text,
  raw_prompt: text,
  metadata: object,
})

const toolUsage = z.looseObject({
  ...record,
  msg_id: text,
  tool_call_id: text,
  item_id: orNull,
  tool: text,
  input: text,
  server_url: orNull,
  injected: z.boolean(),
  invocation_error: orNull,
  duration_ms: numberOrNull,
  metadata: object,
})

const toolResult = z.looseObject({
  ...record,
  tool_call_id: text,
  is_error: z.boolean(),
  bytes: count,
  content: orNull,
})

const modelThought = z.looseObject({
  ...record,
  msg_id: text,
  index: count,
  redacted: z.boolean(),
  content: text,
  metadata: object,
})

/** Of a plugin's own type: nobody here knows more of it. */
const other = z.looseObject({
  ...record,
  record_type: text
    .min(1)
    .refine((type) => !listed.includes(type), { error: 'has a list of its own' }),
})

const start = {
  id,
  initiator: z.looseObject({ id: text, username: text, name: orNull }),
  api_key_id: orNull,
  provider: text,
  provider_name: text,
  format: text,
  model: text,
  client: text,
  client_session_id: orNull,
  session_id: text,
  thread_root_id: orNull,
  thread_parent_id: orNull,
  correlating_tool_call_id: orNull,
  agent_id: orNull,
  parent_agent_id: orNull,
  purpose: orNull,
  retry_of: orNull,
  streaming: z.boolean(),
  credential_kind: text,
  credential_hint: text,
  annotations: z.record(z.string(), text),
  metadata: object,
  started_at: time,
  start_record: z.looseObject({ ...stamp, process_id: text }),
}

const end = {
  outcome: z.enum(outcomes),
  error_type: orNull,
  error_message: orNull,
  http_status: numberOrNull,
  finish_reason: orNull,
  duration_ms: number,
  time_to_first_token_ms: numberOrNull,
  upstream_ms: numberOrNull,
  request_bytes: number,
  response_bytes: number,
  observed: z.enum(['full', 'partial']),
  drained: z.boolean(),
  ended_at: time,
  end_record: z.looseObject({ ...stamp, reaped: z.literal(true).optional() }),
}

const lists = {
  token_usages: z.array(tokenUsage),
  user_prompts: z.array(userPrompt),
  tool_usages: z.array(toolUsage),
  tool_results: z.array(toolResult),
  model_thoughts: z.array(modelThought),
  records: z.array(other),
}

/** Which record type each list of a line holds; `records` tells its own. */
export const listTypes = {
  token_usages: 'token_usage',
  user_prompts: 'prompt_usage',
  tool_usages: 'tool_usage',
  tool_results: 'tool_result',
  model_thoughts: 'model_thought',
} as const

const listed: readonly string[] = [
  'interception_start',
  'interception_end',
  ...Object.values(listTypes),
]

const ended = z.looseObject({ ...start, ...end, ...lists })
const running = z.looseObject({ ...start, ...lists, ended_at: z.null(), end_record: z.null() })

export type ImportLine = z.infer<typeof ended> | z.infer<typeof running>

/** All that is wrong with a parsed line, in words; empty where it is whole. */
export function lineFaults(line: object): string[] {
  const shape = 'end_record' in line && line.end_record === null ? running : ended
  const result = shape.safeParse(line)
  if (result.success) return []
  return result.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`)
}
