import { InvalidArgumentError } from 'commander'
import { positiveDuration } from '../server/units.ts'

/** A day or a time with its zone, as RFC 3339 in UTC. */
export function readTime(given: string): string {
  const text = given.toUpperCase()
  const at = Date.parse(/^\d{4}-\d\d-\d\d$/.test(text) ? `${text}T00:00:00Z` : text)
  if (wellFormed.test(text) && !Number.isNaN(at)) return new Date(at).toISOString()
  throw new InvalidArgumentError('Write 2026-01-31 (UTC) or 2026-01-31T18:00:00+01:00.')
}

/** A time that has been: what is to come must not be forgotten beforehand. */
export function readPastTime(text: string): string {
  const time = readTime(text)
  if (Date.parse(time) <= Date.now()) return time
  throw new InvalidArgumentError('It lies in the future.')
}

/** How long ago, in ms. */
export function readAge(text: string): number {
  const result = positiveDuration.safeParse(text)
  if (result.success) return result.data
  throw new InvalidArgumentError(`It ${result.error.issues[0]?.message}.`)
}

const wellFormed = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d))?$/
