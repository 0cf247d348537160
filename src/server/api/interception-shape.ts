import type { z } from 'zod'
import { snakeKeys } from '../../core/json.ts'
import type { StoredInterception } from '../../core/recorder.ts'
import type { RecordOf } from '../../core/records.ts'
import { notEnded } from '../export-line.ts'
import type {
  interceptionDetail as detail,
  interception,
  toolUsage,
} from './interception-schema.ts'

/** An interception as lists give it: its start, how it ended, and what it used. */
export function interceptionShape(stored: StoredInterception): z.output<typeof interception> {
  const { start, end } = stored
  const { initiator_id, initiator_username, initiator_name, ...facts } = ownMembers(start)
  return {
    id: stored.id,
    initiator: {
      id: initiator_id,
      username: initiator_username,
      ...(initiator_name ? { name: initiator_name } : {}),
    },
    ...facts,
    ...(end ? ownMembers(end) : notEnded),
    token_usages: stored.tokenUsages.map(recordShape),
    user_prompts: stored.userPrompts.map(recordShape),
    tool_usages: stored.toolUsages.map(toolUsageShape),
  } as z.output<typeof interception>
}

/** One interception with all that was recorded of it. */
export function interceptionDetail(stored: StoredInterception): z.output<typeof detail> {
  return {
    ...interceptionShape(stored),
    tool_results: stored.toolResults.map(recordShape),
    model_thoughts: stored.modelThoughts.map(recordShape),
    records: [
      ...stored.others.map((record) => ({ record_type: record.type, ...recordShape(record) })),
      ...(stored.damaged ?? []).map(({ type, id, createdAt }) => ({
        record_type: 'damaged',
        damaged_type: type,
        id,
        interception_id: stored.id,
        created_at: createdAt,
      })),
    ],
  } as z.output<typeof detail>
}

export function toolUsageShape(record: RecordOf<'tool_usage'>): z.output<typeof toolUsage> {
  return {
    ...recordShape(record),
    // Scripts written for the reference find an empty text here, never null.
    server_url: record.serverUrl ?? '',
    invocation_error: record.invocationError ?? '',
  } as z.output<typeof toolUsage>
}

/** A record's own members in snake_case; the response's id under its name in this API, too. */
function recordShape(record: object): Record<string, unknown> {
  const { type: _type, seq: _seq, ...shape } = snakeKeys(record)
  return 'msg_id' in shape ? { ...shape, provider_response_id: shape.msg_id } : shape
}

/** The members of a start or an end, less the record's own: they merge into the interception. */
function ownMembers(record: object): Record<string, unknown> {
  const { id: _id, interception_id: _of, created_at: _at, ...rest } = recordShape(record)
  const { process_id: _process, reaped: _reaped, late: _late, ...facts } = rest
  return facts
}
