import { annotationNames } from '../../core/annotations.ts'
import { unmeasured } from '../../core/reaped-end.ts'
import type { InterceptionStart, RecordOf, RecordStamp } from '../../core/records.ts'

/** What the store knows of an interception beside its records: a row of `interceptions`, and where its thread stands. */
export interface KnownRow {
  readonly [column: string]: unknown
}

/** A start whose record is damaged. It says which members nobody knows; null where hardly any is known. */
export function knownStart(
  row: KnownRow,
  stamp: RecordStamp,
): RecordOf<'interception_start'> | null {
  const { started_at: startedAt, initiator_id: initiatorId } = row
  if (typeof startedAt !== 'number' || typeof initiatorId !== 'string') return null
  const clientSessionId = orNull(row.client_session_id)
  const [, call = null] = /^call (.*)$/s.exec(String(row.wanted_key)) ?? []
  const annotations = annotationNames.flatMap((name) =>
    typeof row[name] === 'string' ? [[name, row[name]]] : [],
  )
  return {
    ...stamp,
    type: 'interception_start',
    initiatorId,
    initiatorUsername: String(row.initiator_username),
    initiatorName: null,
    apiKeyId: null,
    provider: String(row.provider),
    providerName: String(row.provider_name),
    format: row.provider === 'openai' ? 'openai_chat' : 'anthropic_messages',
    model: String(row.model),
    client: String(row.client),
    clientSessionId,
    sessionId: String(row.session_id),
    threadRootId: orNull(row.thread_root_id),
    threadParentId: orNull(row.thread_parent_id),
    correlatingToolCallId: call,
    // Whose calls offer no session is an agent: see `sessionKey`.
    agentId: clientSessionId !== null && row.offered_key === null ? '' : null,
    parentAgentId: null,
    purpose: row.root === 2 ? 'other' : null,
    retryOf: orNull(row.retry_of),
    streaming: true,
    credentialKind: 'byok',
    credentialHint: '',
    annotations: Object.fromEntries(annotations),
    metadata: {},
    processId: String(row.process_id),
    startedAt: time(startedAt),
    truncated: unknownOfStart,
  }
}

/** An end whose record is damaged. */
export function knownEnd(row: KnownRow, stamp: RecordStamp): RecordOf<'interception_end'> | null {
  const { ended, ended_at: endedAt, outcome } = row
  if (ended !== 1 || typeof endedAt !== 'number' || typeof outcome !== 'string') return null
  return {
    ...stamp,
    type: 'interception_end',
    outcome: outcome as RecordOf<'interception_end'>['outcome'],
    ...unmeasured,
    durationMs: Math.max(0, endedAt - Number(row.started_at ?? endedAt)),
    endedAt: time(endedAt),
    ...(row.reaped === 1 && { reaped: true as const }),
    truncated: unknownOfEnd,
  }
}

const unknownOfStart: readonly (keyof InterceptionStart)[] = [
  'initiatorName',
  'apiKeyId',
  'format',
  'agentId',
  'parentAgentId',
  'purpose',
  'streaming',
  'credentialKind',
  'credentialHint',
  'metadata',
]

const unknownOfEnd: readonly string[] = Object.keys(unmeasured)

function orNull(value: unknown): string | null {
  return typeof value === 'string' ? value : null
}

function time(ms: number): string {
  const at = new Date(ms)
  return (Number.isNaN(at.getTime()) ? new Date(0) : at).toISOString()
}
