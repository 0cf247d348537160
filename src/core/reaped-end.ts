import { endId } from './ids.ts'
import type { InterceptionEnd, RecordOf } from './records.ts'

/** What a store knows of an interception that was left open. */
export interface LeftOpen {
  readonly id: string
  readonly startedAt: string
  /** When the newest of its records was made: the last sign of life. */
  readonly lastSeenAt: string
  /** The highest `seq` of its records. */
  readonly lastSeq: number
}

/**
 * The end of an interception whose process died. It ends when it was last seen: the reaper may come a day
 * later, and a day is not how long it took.
 */
export function reapedEnd({
  id,
  startedAt,
  lastSeenAt,
  lastSeq,
}: LeftOpen): RecordOf<'interception_end'> {
  return {
    type: 'interception_end',
    id: endId(id),
    interceptionId: id,
    seq: lastSeq + 1,
    createdAt: new Date().toISOString(),
    outcome: 'aborted',
    ...unmeasured,
    errorMessage: 'the process that served it ended before it did',
    durationMs: Math.max(0, Date.parse(lastSeenAt) - Date.parse(startedAt)),
    endedAt: lastSeenAt,
    reaped: true,
  }
}

/** What an end says of an interception that nobody saw to its end. */
export const unmeasured = Object.freeze({
  errorType: null,
  errorMessage: null,
  httpStatus: null,
  finishReason: null,
  durationMs: 0,
  timeToFirstTokenMs: null,
  upstreamMs: null,
  requestBytes: 0,
  responseBytes: 0,
  observed: 'partial',
  drained: false,
} as const satisfies Partial<InterceptionEnd>)
