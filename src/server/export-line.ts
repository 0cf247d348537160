import type { DamagedRecord, StoredInterception } from '../core/recorder.ts'
import type { InterceptionEnd, InterceptionStart } from '../core/records.ts'
import { fieldsOf, snakeCase } from './record-fields.ts'

/** Members of a start that the line has at its top, in this order. */
export const startFields = [
  'apiKeyId',
  'provider',
  'providerName',
  'format',
  'model',
  'client',
  'clientSessionId',
  'sessionId',
  'threadRootId',
  'threadParentId',
  'correlatingToolCallId',
  'agentId',
  'parentAgentId',
  'purpose',
  'retryOf',
  'streaming',
  'credentialKind',
  'credentialHint',
  'annotations',
  'metadata',
  'startedAt',
] as const satisfies readonly (keyof InterceptionStart)[]

/** Members of an end that the line has at its top. */
export const endFields = [
  'outcome',
  'errorType',
  'errorMessage',
  'httpStatus',
  'finishReason',
  'durationMs',
  'timeToFirstTokenMs',
  'upstreamMs',
  'requestBytes',
  'responseBytes',
  'observed',
  'drained',
  'endedAt',
] as const satisfies readonly (keyof InterceptionEnd)[]

/** What tells of an end, where there is none yet: the names are there, and say nothing. */
export const notEnded: Readonly<Record<string, null>> = Object.freeze(
  Object.fromEntries(endFields.map((name) => [snakeCase(name), null])),
)

/** What cannot be read any more of what was recorded. */
function damagedShape({ type, id, createdAt }: DamagedRecord): {
  readonly record_type: string
  readonly id: string
  readonly created_at: string
} {
  return { record_type: type, id, created_at: createdAt }
}

/**
 * An interception with all its records as one line of NDJSON, without its line end: what the REST API tells of one,
 * and all that has to come back with it. Equal records make equal lines, whatever store they lay in.
 */
export function exportLine(stored: StoredInterception): string {
  const { id, start, end } = stored
  return JSON.stringify({
    id,
    initiator: {
      id: start.initiatorId,
      username: start.initiatorUsername,
      name: start.initiatorName,
    },
    ...picked(start, startFields),
    ...(end ? picked(end, endFields) : notEnded),
    token_usages: stored.tokenUsages.map((record) => fieldsOf(record)),
    user_prompts: stored.userPrompts.map((record) => fieldsOf(record)),
    tool_usages: stored.toolUsages.map((record) => fieldsOf(record)),
    tool_results: stored.toolResults.map((record) => fieldsOf(record)),
    model_thoughts: stored.modelThoughts.map((record) => fieldsOf(record)),
    records: stored.others.map((record) => ({ record_type: record.type, ...fieldsOf(record) })),
    start_record: fieldsOf(start, startAtTop),
    end_record: end && fieldsOf(end, endAtTop),
    ...(stored.damaged && { damaged: stored.damaged.map(damagedShape) }),
  })
}

// Their ids are derived from the interception's.
const startAtTop: ReadonlySet<string> = new Set([
  'id',
  'interceptionId',
  'initiatorId',
  'initiatorUsername',
  'initiatorName',
  ...startFields,
])
const endAtTop: ReadonlySet<string> = new Set(['id', 'interceptionId', ...endFields])

function picked<T extends object>(
  record: T,
  names: readonly (keyof T & string)[],
): Record<string, unknown> {
  return Object.fromEntries(names.map((name) => [snakeCase(name), record[name]]))
}
