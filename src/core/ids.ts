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
  text.write(interceptionId.padEnd(text.length, '0'), 'latin1')
  text[14] = hexDigits.charCodeAt(7)
  for (let at = 0; at < mask.length; at++) {
    const place = places[at] as number
    text[place] = hexDigits.charCodeAt((digitOf[text[place] as number] ?? 0) ^ (mask[at] as number))
  }
  return text.toString('latin1')
}

/** Where an id is written: a text put together of pieces costs five times as much. */
const text = Buffer.alloc(36)
/** Of the digits of an id that are random, in part or as a whole. */
const places = [15, 16, 17, 19, 20, 21, 22, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35]
const hexDigits = '0123456789abcdef'
const digitOf = Uint8Array.from({ length: 256 }, (_, code) => {
  const value = Number.parseInt(String.fromCharCode(code), 16)
  return Number.isNaN(value) ? 0 : value
})

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

/** What each digit in `places` is mixed with, by plugin and key. Nearly all records have one of a few names. */
const masks = new Map<string, Map<string, Uint8Array>>()

function maskOf(plugin: string, key: string): Uint8Array {
  let ofPlugin = masks.get(plugin)
  if (!ofPlugin) {
    ofPlugin = new Map()
    masks.set(plugin, ofPlugin)
    forgetOldest(masks, 100)
  }
  const known = ofPlugin.get(key)
  if (known) return known
  const mask = newMask(plugin, key)
  ofPlugin.set(key, mask)
  forgetOldest(ofPlugin, 1000)
  return mask
}

function newMask(plugin: string, key: string): Uint8Array {
  // The length keeps ('a', 'bc') and ('ab', 'c') apart; SHA-1 is chosen for speed, nothing rests on its secrecy.
  const digest = hash('sha1', `${plugin.length}:${plugin}${key}`, 'hex')
  const mask = Uint8Array.from(digest.slice(1, 20), (digit) => Number.parseInt(digit, 16))
  // Two bits say what kind of UUID it is.
  mask[3] = (mask[3] as number) & 3
  return mask
}
