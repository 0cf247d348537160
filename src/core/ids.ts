import { hash, randomUUIDv7 } from 'node:crypto'

/** A new interception's id: UUIDv7, so that a store appends rather than inserts at random. */
export function interceptionId(): string {
  return randomUUIDv7()
}

/**
 * The id of the record that `plugin` calls `key`: the interception's 48 bits of time, then a hash of the
 * three. The same three give the same id, so a record that is written again replaces the earlier one.
 */
export function recordId(interceptionId: string, plugin: string, key: string): string {
  // The lengths keep ('a', 'bc') and ('ab', 'c') apart; SHA-1 is chosen for speed, nothing rests on its secrecy.
  const digest = hash('sha1', `${interceptionId}${plugin.length}:${plugin}${key}`, 'hex')
  const variant = '89ab'[Number.parseInt(digest.charAt(3), 16) & 3]
  return `${interceptionId.slice(0, 13)}-7${digest.slice(0, 3)}-${variant}${digest.slice(4, 7)}-${digest.slice(7, 19)}`
}

/** The ids of the two records that are core's own, for all who must write or find them. */
export function startId(interceptionId: string): string {
  return recordId(interceptionId, 'core', 'start')
}

export function endId(interceptionId: string): string {
  return recordId(interceptionId, 'core', 'end')
}

/** When an interception began by its id, in ms since 1970; NaN where the id is no UUIDv7. */
export function timeOf(interceptionId: string): number {
  const version = interceptionId[14]
  return version === '7'
    ? Number.parseInt(interceptionId.replace('-', '').slice(0, 12), 16)
    : Number.NaN
}
