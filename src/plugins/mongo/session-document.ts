import type { Session } from '../../core/session.ts'
import { shortKey } from './short-key.ts'

/** A session as its interceptions' digests make it; with `dirty` alone where it is yet to be made. */
export interface SessionDocument {
  /** Of initiator and session id. */
  readonly _id: string
  /** Names the last change that it may lack; not there where it lacks none. */
  readonly dirty?: string
  /** What lists are narrowed to and sorted by. */
  readonly sessionId?: string
  readonly initiatorId?: string
  readonly initiatorUsername?: string
  readonly providers?: readonly string[]
  readonly providerNames?: readonly string[]
  readonly models?: readonly string[]
  readonly client?: string
  readonly startedAt?: Date
  readonly lastActiveAt?: Date
  /** The session as JSON text: strangers choose names in it. */
  readonly session?: string
}

export function sessionKeyOf(initiatorId: string, sessionId: string): string {
  return shortKey(JSON.stringify([initiatorId, sessionId]))
}

export function sessionDocument(key: string, session: Session): SessionDocument {
  const { initiatorId, initiatorUsername, providers, providerNames, models, client } = session
  return {
    _id: key,
    sessionId: shortKey(session.id),
    initiatorId,
    initiatorUsername,
    providers,
    providerNames,
    models,
    client,
    startedAt: new Date(session.startedAt),
    lastActiveAt: new Date(session.lastActiveAt),
    session: JSON.stringify(session),
  }
}

export function sessionIn({ session }: SessionDocument): Session {
  return JSON.parse(session ?? 'null') as Session
}
