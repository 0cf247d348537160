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
  if (interceptionId !== last.id) read(interceptionId)
  const mask = maskOf(plugin, key)
  write(last.a ^ mask.a, 15, 3)
  write((last.b ^ mask.b) | 0x8000, 19, 4)
  write(last.c ^ mask.c, 24, 6)
  write(last.d ^ mask.d, 30, 6)
  return text.latin1Slice(0, 36)
}

/** The interception whose records were last named: its time, and its random bits as they are in `Mask`. */
const last = { id: '', a: 0, b: 0, c: 0, d: 0 }
/** Where an id is written: a text put together of pieces costs five times as much. */
const text = Buffer.from('00000000-0000-7000-8000-000000000000')

function read(interceptionId: string): void {
  last.id = interceptionId
  last.a = Number.parseInt(interceptionId.slice(15, 18), 16)
  last.b = Number.parseInt(interceptionId.slice(19, 23), 16) & 0x3fff
  last.c = Number.parseInt(interceptionId.slice(24, 30), 16)
  last.d = Number.parseInt(interceptionId.slice(30), 16)
  text.latin1Write(interceptionId.slice(0, 13).padEnd(13, '0'))
}

function write(value: number, at: number, digits: number): void {
  for (let place = at + digits - 1, rest = value; place >= at; place--, rest >>>= 4) {
    text[place] = hexDigits.charCodeAt(rest & 15)
  }
}

const hexDigits = '0123456789abcdef'

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

/** By plugin and key. Nearly all records have one of a few names, and a hash costs 2 µs. */
const masks = new Map<string, Map<string, Mask>>()

function maskOf(plugin: string, key: string): Mask {
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

function newMask(plugin: string, key: string): Mask {
  // The length keeps ('a', 'bc') and ('ab', 'c') apart; SHA-1 is chosen for speed, nothing rests on its secrecy.
  const digest = hash('sha1', `${plugin.length}:${plugin}${key}`, 'buffer')
  return {
    a: digest.readUInt16BE(0) & 0xfff,
    b: digest.readUInt16BE(2) & 0x3fff,
    c: digest.readUIntBE(4, 3),
    d: digest.readUIntBE(7, 3),
  }
}
