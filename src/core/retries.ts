import { hash } from 'node:crypto'
import { forgetOldest } from './forget-oldest.ts'

/** What a try was and how it went. */
export interface Try {
  readonly id: string
  readonly rootId: string | null
  readonly parentId: string | null
  failed: boolean
}

const windowMs = 10 * 60 * 1000

/**
 * Recognises a request that repeats one that failed: same initiator, same client session, same body, within ten
 * minutes. Without a session of the client's own none is assumed, since two users may well ask the same.
 */
export class Retries {
  readonly #tries = new Map<string, Try & { readonly at: number }>()

  /** The first try that this one repeats, or null. */
  find(key: string | null): Try | null {
    if (key === null) return null
    const earlier = this.#tries.get(key)
    return earlier?.failed && Date.now() - earlier.at < windowMs ? earlier : null
  }

  /** Remembers a try; what it gives back is told when the try has failed. */
  remember(key: string | null, { id, rootId, parentId }: Omit<Try, 'failed'>): Try {
    const entry = { id, rootId, parentId, failed: false, at: Date.now() }
    if (key === null) return entry
    this.#tries.delete(key)
    this.#tries.set(key, entry)
    forgetOldest(this.#tries, 10_000)
    return entry
  }
}

/** Null where the client names no session. */
export function retryKey(
  initiatorId: string,
  clientSessionId: string | null,
  body: Buffer,
): string | null {
  return clientSessionId === null
    ? null
    : `${initiatorId}\n${clientSessionId}\n${hash('sha1', body, 'base64')}`
}
