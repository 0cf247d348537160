import type { InterceptionFilter, StoredInterception, StoreFilter } from '../../core/recorder.ts'
import type { Session } from '../../core/session.ts'
import type { Summary } from '../../core/summary.ts'
import { textMatching } from './text-matching.ts'

/** Tells which interceptions a list has. */
export function matching(filter: InterceptionFilter): (stored: StoredInterception) => boolean {
  const { sessionId, outcome, tool, search, annotations = {}, running = false } = filter
  const begun = beginning(filter)
  const text = search === undefined ? null : textMatching(search)
  const wanted = Object.entries(annotations)
  return (stored) => {
    const { start, end, toolUsages } = stored
    return (
      (running || end !== null) &&
      begun(start) &&
      is(sessionId, start.sessionId) &&
      is(outcome, end?.outcome) &&
      (tool === undefined || toolUsages.some((usage) => usage.tool === tool)) &&
      wanted.every(([name, value]) => start.annotations[name] === value) &&
      (text === null || text(stored))
    )
  }
}

type Beginning = Pick<
  Summary,
  | 'initiatorId'
  | 'initiatorUsername'
  | 'provider'
  | 'providerName'
  | 'model'
  | 'client'
  | 'startedAt'
>

/** Tells which starts, or summaries, every list may have. */
export function beginning(filter: StoreFilter): (start: Beginning) => boolean {
  const owned = owner(filter)
  const { from, until } = span(filter)
  return (start) => {
    const startedAt = Date.parse(start.startedAt)
    return (
      owned(start) &&
      is(filter.provider, start.provider) &&
      is(filter.providerName, start.providerName) &&
      is(filter.model, start.model) &&
      is(filter.client, start.client) &&
      startedAt >= from &&
      startedAt <= until
    )
  }
}

/** Tells which sessions a list has: those that went on in the time asked for, whose parts have each name. */
export function sessionMatching(
  filter: StoreFilter & { readonly sessionId?: string },
): (session: Session) => boolean {
  const owned = owner(filter)
  const { from, until } = span(filter)
  return (session) =>
    owned(session) &&
    is(filter.sessionId, session.id) &&
    has(session.providers, filter.provider) &&
    has(session.providerNames, filter.providerName) &&
    has(session.models, filter.model) &&
    is(filter.client, session.client) &&
    Date.parse(session.lastActiveAt) >= from &&
    Date.parse(session.startedAt) <= until
}

interface Owned {
  readonly initiatorId: string
  readonly initiatorUsername: string
}

/** Tells what of whom may be seen, and is asked for. */
export function owner({
  visibleTo,
  initiator,
}: Pick<StoreFilter, 'visibleTo' | 'initiator'>): (owned: Owned) => boolean {
  return ({ initiatorId, initiatorUsername }) =>
    is(visibleTo, initiatorId) &&
    (initiator === undefined || initiator === initiatorId || initiator === initiatorUsername)
}

function span({ startedAfter, startedBefore }: StoreFilter): { from: number; until: number } {
  return {
    from: startedAfter === undefined ? Number.NEGATIVE_INFINITY : Date.parse(startedAfter),
    until: startedBefore === undefined ? Number.POSITIVE_INFINITY : Date.parse(startedBefore),
  }
}

function is<T>(wanted: T | undefined, value: T | undefined): boolean {
  return wanted === undefined || wanted === value
}

function has(values: readonly string[], wanted: string | undefined): boolean {
  return wanted === undefined || values.includes(wanted)
}
