import { type Session, sessionOf } from '../../core/session.ts'
import type { SessionPage, SessionQuery } from '../../core/store.ts'
import type { Summary } from '../../core/summary.ts'
import { sessionMatching } from './matching.ts'
import { knownCursor, pageOf } from './page.ts'

/** All sessions of what has ended. */
export function sessionsOf(summaries: readonly Summary[]): Session[] {
  const groups = Map.groupBy(summaries, ({ sessionId, initiatorId }) =>
    JSON.stringify([sessionId, initiatorId]),
  )
  return [...groups.values()].map(sessionOf).filter((session) => session !== null)
}

export function sessionPage(all: readonly Session[], query: SessionQuery): SessionPage {
  const { after, afterInitiatorId, visibleTo, sort = 'active' } = query
  const named = all.filter(
    ({ id, initiatorId }) =>
      id === after &&
      (afterInitiatorId ?? initiatorId) === initiatorId &&
      (visibleTo ?? initiatorId) === initiatorId,
  )
  // Of two with that id nobody knows which page was seen.
  const only = named.length === 1 ? named[0] : null
  const cursor = after === undefined ? null : knownCursor(only, 'session', after)
  const found = all.filter(sessionMatching(query))
  return { count: found.length, sessions: pageOf(found, orders[sort], cursor, query) }
}

type Order = (a: Session, b: Session) => number

const orders: Readonly<Record<NonNullable<SessionQuery['sort']>, Order>> = {
  active: (a, b) => Date.parse(b.lastActiveAt) - Date.parse(a.lastActiveAt) || compareNames(b, a),
  started: (a, b) => Date.parse(b.startedAt) - Date.parse(a.startedAt) || compareNames(b, a),
  oldest: (a, b) => Date.parse(a.startedAt) - Date.parse(b.startedAt) || compareNames(a, b),
}

function compareNames(a: Session, b: Session): number {
  return compareText(a.id, b.id) || compareText(a.initiatorId, b.initiatorId)
}

export function compareText(a: string, b: string): number {
  return a < b ? -1 : Number(a > b)
}
