import type { Outcome } from '../../core/events.ts'
import type { StoredInterception } from '../../core/recorder.ts'
import { annotationMember } from './annotation-member.ts'
import { hourKeyOf } from './hour-document.ts'
import { sessionKeyOf } from './session-document.ts'
import { shortKey } from './short-key.ts'

/** What lists of interceptions can be narrowed to. */
export interface Facets {
  readonly ended: boolean
  readonly startedAt: Date
  /** The document of its initiator's UTC hour. */
  readonly hour: string
  readonly initiatorId: string
  readonly initiatorUsername: string
  readonly provider: string
  readonly providerName: string
  readonly model: string
  readonly client: string
  /** Its session's document; the session's id is chosen by clients. */
  readonly session: string
  readonly sessionId: string
  readonly threadRootId: string | null
  /** A root that no person asked for. */
  readonly aside: boolean
  readonly outcome: Outcome | null
  readonly tools: readonly string[]
  readonly annotations: readonly string[]
}

export function facetsOf({ start, end, toolUsages }: StoredInterception): Facets {
  const { initiatorId, initiatorUsername, provider, providerName, model, client } = start
  const startedAt = new Date(start.startedAt)
  return {
    ended: end !== null,
    startedAt,
    hour: hourKeyOf(initiatorId, startedAt),
    initiatorId,
    initiatorUsername,
    provider,
    providerName,
    model,
    client,
    session: sessionKeyOf(initiatorId, start.sessionId),
    sessionId: shortKey(start.sessionId),
    threadRootId: start.threadRootId,
    aside: start.purpose !== null,
    outcome: end?.outcome ?? null,
    tools: [...new Set(toolUsages.map(({ tool }) => tool))],
    annotations: annotationMember(start.annotations),
  }
}
