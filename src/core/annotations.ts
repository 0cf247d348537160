import { headerValue } from './headers.ts'
import { withoutUrlCredentials } from './secrets.ts'
import type { RawHeaders } from './upstream.ts'

/** What a client may say of the work that a request is for: in `X-Sluice-Repo`, `-Branch` and `-Issue`. */
export const annotationNames = ['repo', 'branch', 'issue'] as const

/** The annotations that a request carries, as they are recorded. */
export function readAnnotations(headers: RawHeaders): Readonly<Record<string, string>> {
  const annotations: Record<string, string> = {}
  for (const name of annotationNames) {
    const header = headerValue(headers, `x-sluice-${name}`)
    // Node reads header bytes as latin1; branches are named in UTF-8.
    const value = header && annotationText(Buffer.from(header, 'latin1').toString('utf8'))
    if (value) annotations[name] = value
  }
  return Object.freeze(annotations)
}

/** A value as it is recorded, and so to be asked for: at most 256 characters; a repository's URL may hold a password. */
export function annotationText(value: string): string {
  // A pair that is cut in half would be another text after each store that keeps UTF-8.
  return withoutUrlCredentials(value.trim()).slice(0, 256).toWellFormed()
}
