import { deepEqual, equal, match } from 'node:assert/strict'
import { test } from 'node:test'
import { interceptionId } from '../../src/core/ids.ts'
import type { InterceptionRecord } from '../../src/core/records.ts'
import {
  type StructuredLoggerOptions,
  structuredLogger,
} from '../../src/plugins/structured-logger.ts'
import { capturingLogger, type LoggedLine } from '../support/log-lines.ts'
import { prompt, stamp, wholeInterception } from '../support/stored-records.ts'

async function logged(
  records: readonly InterceptionRecord[],
  options: Omit<StructuredLoggerOptions, 'logger'> = {},
) {
  const { logger, lines, texts } = capturingLogger()
  await structuredLogger({ logger, ...options }).record?.(records)
  return { lines, texts }
}

const common = [
  'timestamp',
  'level',
  'message',
  'record_type',
  'id',
  'interception_id',
  'created_at',
]
const fields: Readonly<Record<string, readonly string[]>> = {
  interception_start: [
    ...[
      'initiator_id',
      'initiator_username',
      'initiator_name',
      'api_key_id',
      'provider',
      'model',
      'client',
    ],
    ...[
      'client_session_id',
      'started_at',
      'metadata',
      'correlating_tool_call_id',
      'thread_parent_id',
    ],
    ...['thread_root_id', 'provider_name', 'format', 'streaming', 'session_id', 'agent_id'],
    ...[
      'parent_agent_id',
      'purpose',
      'retry_of',
      'credential_kind',
      'credential_hint',
      'annotations',
    ],
    'process_id',
  ],
  interception_end: [
    ...[
      'ended_at',
      'outcome',
      'error_type',
      'error_message',
      'http_status',
      'finish_reason',
      'duration_ms',
    ],
    ...[
      'time_to_first_token_ms',
      'upstream_ms',
      'request_bytes',
      'response_bytes',
      'observed',
      'drained',
    ],
  ],
  token_usage: [
    ...['msg_id', 'input_tokens', 'output_tokens', 'cache_read_input_tokens'],
    ...['cache_write_input_tokens', 'cost_nano_usd', 'price_source', 'price_version', 'metadata'],
  ],
  prompt_usage: ['msg_id', 'prompt', 'raw_prompt', 'metadata'],
  tool_usage: [
    ...['msg_id', 'tool_call_id', 'item_id', 'tool', 'input', 'server_url', 'injected'],
    ...['invocation_error', 'duration_ms', 'metadata'],
  ],
  tool_result: ['tool_call_id', 'is_error', 'bytes', 'content'],
  model_thought: ['msg_id', 'index', 'redacted', 'content', 'metadata'],
}

test('each record is one JSON object a line with the fields of the contract, and no others', async () => {
  const records = wholeInterception()
  const { lines, texts } = await logged(records)
  equal(lines.length, records.length)
  for (const [index, line] of lines.entries()) {
    const { type, id, interceptionId } = records[index] as InterceptionRecord
    deepEqual(Object.keys(line).sort(), [...common, ...(fields[type] ?? [])].sort(), type)
    deepEqual(Object.keys(line).slice(0, 3), ['timestamp', 'level', 'message'])
    match(String(line.timestamp), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
    equal(line.level, 'info')
    equal(line.message, 'interception log')
    deepEqual([line.record_type, line.id, line.interception_id], [type, id, interceptionId])
    match(texts[index] ?? '', /^\{.*\}\n$/)
  }
})

test('a line break in a prompt does not break the line', async () => {
  const { lines, texts } = await logged([prompt(interceptionId(), 'one\ntwo\u2028three')])
  equal(texts[0]?.trimEnd().includes('\n'), false)
  equal(lines[0]?.prompt, 'one\ntwo\u2028three')
})

const contentOf = (lines: readonly LoggedLine[]) =>
  lines.flatMap((line) => {
    const { record_type, prompt, raw_prompt, input, content } = line
    if (record_type === 'prompt_usage') return [prompt, raw_prompt]
    if (record_type === 'tool_usage') return [input]
    return record_type === 'model_thought' || record_type === 'tool_result' ? [content] : []
  })

test('redacted content tells its length only; figures and names stay', async () => {
  const { lines } = await logged(wholeInterception(), { content: 'redacted' })
  deepEqual(contentOf(lines), [
    '[redacted: 23 characters]',
    '[redacted: 23 characters]',
    null,
    '[redacted: 22 characters]',
    '[redacted: 20 characters]',
    '[redacted: 20 characters]',
  ])
  equal(lines.find(({ record_type }) => record_type === 'tool_usage')?.tool, 'Bash')
  equal(lines.find(({ record_type }) => record_type === 'token_usage')?.output_tokens, 50)
})

test('omitted content is null', async () => {
  const { lines } = await logged(wholeInterception(), { content: 'omit' })
  deepEqual(contentOf(lines), [null, null, null, null, null, null])
})

test('a record of a type that a plugin added keeps its own members, and not our message', async () => {
  const note = {
    ...stamp(interceptionId(), 'mine', '0', 0),
    type: 'note',
    tookMs: 5,
    message: 'mine',
  } as unknown as InterceptionRecord
  const { lines } = await logged([note])
  equal(lines[0]?.record_type, 'note')
  equal(lines[0]?.took_ms, 5)
  equal(lines[0]?.message, 'interception log')
})
