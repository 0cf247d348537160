import type { InterceptionStart } from './records.ts'

/** Where an interception stands: what it goes on from, where its thread began, its session. */
export type Links = Pick<InterceptionStart, 'threadParentId' | 'threadRootId' | 'sessionId'>

/** What of a start its links, and those of others, depend on. */
export type LinkingStart = Links &
  Pick<
    InterceptionStart,
    | 'initiatorId'
    | 'clientSessionId'
    | 'agentId'
    | 'correlatingToolCallId'
    | 'retryOf'
    | 'startedAt'
  >

/** An interception as another one may hang on it. */
export interface Relative {
  readonly id: string
  readonly start: LinkingStart
  readonly links: Links
}

/** How old what is answered may be, in ms. */
export const maxAge: number = 24 * 60 * 60 * 1000

/** The key under which a tool call is answered. */
export function callKey(toolCallId: string): string | null {
  return toolCallId === '' ? null : `call ${toolCallId}`
}

/** What an interception that made a tool call offers beside it: sub-agents hang under it, whichever call it was. */
export function sessionKey({ agentId, clientSessionId }: LinkingStart): string | null {
  return agentId === null && clientSessionId !== null ? `session ${clientSessionId}` : null
}

/** What an interception looks for among those before it; a sub-agent's first request answers no call. */
export function wantedKey(start: LinkingStart): string | null {
  const { correlatingToolCallId, agentId, clientSessionId } = start
  if (correlatingToolCallId) return callKey(correlatingToolCallId)
  return agentId !== null && clientSessionId !== null ? `session ${clientSessionId}` : null
}

/**
 * The links of an interception by what is stored of others: `find(id)` gives one of them, `newest(key)` the last
 * one before it that offers the key. It never hangs on one that began later: so there is no circle, and the
 * order in which records come does not matter.
 */
export function linksOf(
  id: string,
  start: LinkingStart,
  stored: {
    readonly find: (id: string) => Relative | null
    readonly newest: (key: string) => Relative | null
  },
): Links {
  const usable = (relative: Relative | null) =>
    relative && isBefore(relative, { id, start }) ? relative : null
  const found = (other: string | null) => (other === null ? null : usable(stored.find(other)))

  // A retry belongs to the thread of its first try, which may have found its place only here.
  const first = found(start.retryOf)
  if (first) {
    return {
      threadParentId: first.links.threadParentId,
      threadRootId: first.links.threadRootId ?? first.id,
      sessionId: start.clientSessionId ?? first.links.sessionId,
    }
  }
  const key = wantedKey(start)
  const parent =
    start.threadParentId === null
      ? usable(key === null ? null : stored.newest(key))
      : found(start.threadParentId)
  const { threadParentId, threadRootId, sessionId } = start
  // What the process knew when it began, where the store knows no better.
  if (!parent) return { threadParentId, threadRootId, sessionId }
  return {
    threadParentId: parent.id,
    threadRootId: parent.links.threadRootId ?? parent.id,
    sessionId: start.clientSessionId ?? parent.links.sessionId,
  }
}

/**
 * The start of one of whose links something was forgotten, as if it had told them itself: they stay, for nobody could
 * find them again. Only its first try, if that still comes, knows better.
 */
export function keeping(start: LinkingStart, links: Links): LinkingStart {
  const { threadParentId, threadRootId, sessionId } = links
  const looksForNothing = { correlatingToolCallId: null, agentId: null }
  return { ...start, threadParentId, threadRootId, sessionId, ...looksForNothing }
}

/** Whether one has its links from any of these. */
export function hangsOn(
  ids: ReadonlySet<string>,
  { retryOf }: LinkingStart,
  { threadParentId }: Links,
): boolean {
  return ids.has(threadParentId ?? '') || ids.has(retryOf ?? '')
}

/** The links of all, by id: one pass from the first to the last. */
export function linkAll(
  all: readonly {
    readonly id: string
    readonly start: InterceptionStart
    readonly toolCallIds: readonly string[]
    /** Its links from when what it hung on was still stored. */
    readonly kept?: Links | null
  }[],
): Map<string, Links> {
  const relatives = new Map<string, Relative>()
  const offers = new Map<string, Relative>()
  for (const { id, start, toolCallIds, kept } of all.toSorted(byStart)) {
    const named = (key: string) => `${start.initiatorId}\n${key}`
    const links = linksOf(id, kept ? keeping(start, kept) : start, {
      find: (other) => relatives.get(other) ?? null,
      newest: (key) => offers.get(named(key)) ?? null,
    })
    const relative = { id, start, links }
    relatives.set(id, relative)
    for (const key of offeredKeys(start, toolCallIds)) offers.set(named(key), relative)
  }
  return new Map([...relatives].map(([id, { links }]) => [id, links]))
}

export function offeredKeys(start: LinkingStart, toolCallIds: readonly string[]): string[] {
  const calls = toolCallIds.map(callKey)
  return [...calls, calls.length > 0 ? sessionKey(start) : null].filter((key) => key !== null)
}

interface Begun {
  readonly id: string
  readonly start: LinkingStart
}

/** Of the same initiator, begun before, and not a day before. */
function isBefore(relative: Begun, of: Begun): boolean {
  const age = Date.parse(of.start.startedAt) - Date.parse(relative.start.startedAt)
  return (
    relative.start.initiatorId === of.start.initiatorId &&
    byStart(relative, of) < 0 &&
    age <= maxAge
  )
}

function byStart(a: Begun, b: Begun): number {
  return Date.parse(a.start.startedAt) - Date.parse(b.start.startedAt) || (a.id < b.id ? -1 : 1)
}
