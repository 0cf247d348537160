import type { StoredInterception } from '../../core/recorder.ts'
import type { Session } from '../../core/session.ts'
import type { SessionAnswer, SessionDetailQuery } from '../../core/store.ts'
import { type Thread, threadOf } from '../../core/thread.ts'
import { owner } from './matching.ts'
import { knownCursor } from './page.ts'
import { compareText } from './sessions.ts'

/** A session with a page of its threads; `all` is newest first. */
export async function sessionAnswer(
  all: readonly StoredInterception[],
  sessions: readonly Session[],
  query: SessionDetailQuery,
): Promise<SessionAnswer | null> {
  const named = sessions.filter(({ id }) => id === query.id).filter(owner(query))
  const [session, ...others] = named
  if (!session) return null
  if (others.length > 0) return { type: 'ambiguous', initiators: initiatorsOf(named) }
  const own = all.filter(({ start }) => start.initiatorId === session.initiatorId)
  const roots = own
    .filter(({ start, end }) => end && start.sessionId === session.id && !start.threadRootId)
    .toReversed()
  const threads: Thread[] = []
  for (const root of rootsOfPage(roots, query)) {
    const made = await thread(root, own)
    if (made) threads.push(made)
  }
  return { type: 'session', session, threads }
}

function initiatorsOf(sessions: readonly Session[]): { id: string; username: string }[] {
  return sessions
    .map(({ initiatorId, initiatorUsername }) => ({ id: initiatorId, username: initiatorUsername }))
    .sort((a, b) => compareText(a.id, b.id))
}

function rootsOfPage(
  roots: readonly StoredInterception[],
  { id, after, before, limit = 50, aside = false }: SessionDetailQuery,
): StoredInterception[] {
  const place = (thread: string) => {
    const found = roots.find((root) => root.id === thread)
    return roots.indexOf(knownCursor(found, `thread of session "${id}"`, thread))
  }
  const first = after === undefined ? 0 : place(after) + 1
  const end = before === undefined ? roots.length : place(before)
  const shown = roots.slice(first, end).filter(({ start }) => aside || start.purpose === null)
  return before === undefined ? shown.slice(0, limit) : shown.slice(-limit)
}

/** Of the initiator's own: a start may name a stranger's interception as its root. */
function thread(
  root: StoredInterception,
  own: readonly StoredInterception[],
): Promise<Thread | null> {
  return threadOf(
    root,
    own.filter(({ start }) => start.threadRootId === root.id),
  )
}
