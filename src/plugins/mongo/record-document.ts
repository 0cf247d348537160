import { createHash } from 'node:crypto'
import type { InterceptionRecord } from '../../core/records.ts'

/**
 * A record as it lies in its interception's document, under its id: texts, numbers, booleans and null as
 * they are, everything else as one JSON text (a stranger's JSON has member names that MongoDB refuses, and
 * any depth).
 */
export interface RecordDocument {
  readonly type: string
  readonly createdAt: string
  readonly [member: string]: string | number | boolean | null
}

/** No text is kept beyond this, in UTF-8 bytes. */
const memberLimit = 1024 ** 2

/** The record within `limit` bytes; what had to be cut is told in `truncated` and `truncatedFrom`. */
export function encodeRecord(
  { id: _, interceptionId: __, seq: ___, ...record }: InterceptionRecord,
  limit: number,
): { readonly document: RecordDocument; readonly bytes: number } {
  const plain: Record<string, string | number | boolean | null> = {}
  const nested: Record<string, unknown> = {}
  const cut: Record<string, Cut> = {}
  let bytes = 0
  for (const [name, value] of Object.entries(record)) {
    if (value === undefined) continue
    const room = Math.min(memberLimit, Math.max(0, limit - bytes))
    if (typeof value === 'string' && plainName.test(name)) {
      plain[name] = shorten(value, room, (from) => {
        cut[name] = from
      })
      bytes += Buffer.byteLength(plain[name] as string) + overhead(name)
    } else if (isScalar(value) && plainName.test(name)) {
      plain[name] = value
      bytes += overhead(name)
    } else {
      const json = JSON.stringify(value)
      const whole = Buffer.byteLength(json)
      // Half a JSON text is no JSON: it goes whole.
      if (whole > room) cut[name] = cutOf(json, whole)
      nested[name] = whole > room ? emptyOf(value) : value
      bytes += (whole > room ? 2 : whole) + overhead(name)
    }
  }
  const names = Object.keys(cut)
  if (names.length > 0) {
    nested.truncated = [...new Set([...(record.truncated ?? []), ...names])]
    nested.truncatedFrom = { ...record.truncatedFrom, ...cut }
  }
  if (Object.keys(nested).length > 0) plain[nestedName] = JSON.stringify(nested)
  return { document: plain as RecordDocument, bytes: bytes + 100 }
}

export function decodeRecord(
  interceptionId: string,
  id: string,
  seq: number,
  { [nestedName]: nested, ...plain }: RecordDocument,
): InterceptionRecord {
  const more: object = typeof nested === 'string' ? JSON.parse(nested) : {}
  return { ...plain, ...more, id, interceptionId, seq } as InterceptionRecord
}

interface Cut {
  readonly bytes: number
  readonly sha256: string
}

const nestedName = '_json'
const plainName = /^[A-Za-z][A-Za-z0-9_]*$/

function shorten(text: string, room: number, onCut: (cut: Cut) => void): string {
  // Three bytes is the most that one UTF-16 unit takes.
  if (text.length * 3 <= room) return text
  const bytes = Buffer.from(text)
  if (bytes.length <= room) return text
  onCut(cutOf(text, bytes.length))
  let end = room
  // Not within a character: its later bytes are 10xxxxxx.
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end--
  return bytes.toString('utf8', 0, end)
}

function cutOf(text: string, bytes: number): Cut {
  return { bytes, sha256: createHash('sha256').update(text).digest('hex') }
}

function isScalar(value: unknown): value is number | boolean | null {
  return typeof value === 'number' || typeof value === 'boolean' || value === null
}

function emptyOf(value: unknown): unknown {
  if (typeof value === 'string') return ''
  return Array.isArray(value) ? [] : {}
}

/** A BSON element beside a text's own bytes: type, name, length, end. */
function overhead(name: string): number {
  return name.length + 16
}
