import { hash, randomUUIDv7 } from 'node:crypto'
import { forgetOldest } from './forget-oldest.ts'

/** A new interception's id: UUIDv7, so that a store appends rather than inserts at random. */
export function interceptionId(): string {
  return randomUUIDv7()
}

/**
 * The id of the record that `plugin` calls `key`: the interception's 48 bits of time, and its 74 random bits mixed
 * with a hash of the two names. The same three give the same id, so a record that is written again replaces the
 * earlier one.
 */
export function recordId(interceptionId: string, plugin: string, key: string): string {
  const mask = maskOf(plugin, key)
  const a = Number.parseInt(interceptionId.slice(15, 18), 16) ^ mask.a
  const b = (Number.parseInt(interceptionId.slice(19, 23), 16) & 0x3fff) ^ mask.b
  const c = Number.parseInt(interceptionId.slice(24, 30), 16) ^ mask.c
  const d = Number.parseInt(interceptionId.slice(30), 16) ^ mask.d
  return `${interceptionId.slice(0, 13)}-7${hex(a, 3)}-${hex(b | 0x8000, 4)}-${hex(c, 6)}${hex(d, 6)}`
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

interface Mask {
  readonly a: number
  readonly b: number
  readonly c: number
  readonly d: number
}

/** Nearly all records have one of a few names, and a hash costs 2 µs. */
const masks = new Map<string, Mask>()

function maskOf(plugin: string, key: string): Mask {
  // The length keeps ('a', 'bc') and ('ab', 'c') apart.
  const name = `${plugin.length}:${plugin}${key}`
  const known = masks.get(name)
  if (known) return known
  // SHA-1 is chosen for speed, nothing rests on its secrecy.
  const digest = hash('sha1', name, 'buffer')
  const mask = {
    a: digest.readUInt16BE(0) & 0xfff,
    b: digest.readUInt16BE(2) & 0x3fff,
    c: digest.readUIntBE(4, 3),
    d: digest.readUIntBE(7, 3),
  }
  masks.set(name, mask)
  forgetOldest(masks, 1000)
  return mask
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, '0')
}
