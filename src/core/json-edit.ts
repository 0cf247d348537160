import { parseJson } from './json.ts'

/**
 * Edits top-level members of a JSON object in its raw bytes; all other bytes stay as they are. The bytes are a JSON
 * object that has been parsed already.
 */
export class JsonEdit {
  readonly #bytes: Buffer
  readonly #open: number
  readonly #members: ReadonlyMap<string, Span>
  readonly #changes: Change[] = []
  /** New members, each with a comma behind it. */
  readonly #added: Part[] = []

  constructor(bytes: Buffer) {
    this.#bytes = bytes
    this.#open = bytes.indexOf(openBrace)
    this.#members = membersAt(bytes, this.#open)
  }

  /** The member's value; undefined where there is none. Of members of one name the last one counts. */
  value(name: string): unknown {
    const span = this.#members.get(name)
    return span && parseJson(this.#bytes.toString('utf8', span.start, span.end))
  }

  set(name: string, value: unknown): void {
    this.#put(name, [JSON.stringify(value)])
  }

  /** Puts elements (or their JSON, with commas between) first or last into the list that the member is or becomes. */
  insert(name: string, elements: readonly unknown[] | Uint8Array, place: 'first' | 'last'): void {
    const json = isBytes(elements)
      ? elements
      : elements.map((each) => JSON.stringify(each)).join(',')
    const span = this.#members.get(name)
    if (!span || this.#bytes[span.start] !== openBracket) return this.#put(name, ['[', json, ']'])
    if (json.length === 0) return
    const close = span.end - 1
    const empty = skipSpace(this.#bytes, span.start + 1) === close
    const at = place === 'first' || empty ? span.start + 1 : lastByte(this.#bytes, close)
    const parts = empty ? [json] : place === 'first' ? [json, ','] : [',', json]
    this.#changes.push({ start: at, end: at, parts })
  }

  /** Puts others in the place of a list's elements, by their index. */
  replaceElements(name: string, others: ReadonlyMap<number, readonly unknown[]>): void {
    const span = this.#members.get(name)
    if (!span || this.#bytes[span.start] !== openBracket) return
    for (const [index, element] of elementsOf(this.#bytes, span.start).entries()) {
      const instead = others.get(index)
      if (!instead) continue
      const json = instead.map((each) => JSON.stringify(each)).join(',')
      this.#changes.push({ ...element, parts: [json] })
    }
  }

  bytes(): Buffer {
    const changes = this.#changes.toSorted((a, b) => a.start - b.start)
    const at = this.#open + 1
    if (this.#added.length > 0) {
      const parts = this.#members.size > 0 ? this.#added : this.#added.slice(0, -1)
      changes.unshift({ start: at, end: at, parts })
    }
    const all: Uint8Array[] = []
    let from = 0
    for (const { start, end, parts } of changes) {
      all.push(this.#bytes.subarray(from, start), ...parts.map(bytesOf))
      from = end
    }
    all.push(this.#bytes.subarray(from))
    return Buffer.concat(all)
  }

  #put(name: string, parts: readonly Part[]): void {
    const span = this.#members.get(name)
    if (span) this.#changes.push({ ...span, parts })
    else this.#added.push(`${JSON.stringify(name)}:`, ...parts, ',')
  }
}

type Part = string | Uint8Array

function isBytes(part: readonly unknown[] | Part): part is Uint8Array {
  return part instanceof Uint8Array
}

function bytesOf(part: Part): Uint8Array {
  return isBytes(part) ? part : Buffer.from(part)
}

interface Span {
  readonly start: number
  readonly end: number
}

interface Change extends Span {
  readonly parts: readonly Part[]
}

const openBrace = 0x7b
const closeBrace = 0x7d
const openBracket = 0x5b
const closeBracket = 0x5d
const quote = 0x22
const backslash = 0x5c
const comma = 0x2c

/** Where the values of an object's members stand. */
function membersAt(bytes: Buffer, open: number): Map<string, Span> {
  const members = new Map<string, Span>()
  let at = skipSpace(bytes, open + 1)
  while (at < bytes.length && bytes[at] === quote) {
    const nameEnd = stringEnd(bytes, at)
    const name = String(parseJson(bytes.toString('utf8', at, nameEnd)))
    // Behind the colon.
    const start = skipSpace(bytes, skipSpace(bytes, nameEnd) + 1)
    const end = valueEnd(bytes, start)
    members.set(name, { start, end })
    at = skipSpace(bytes, end)
    if (bytes[at] !== comma) break
    at = skipSpace(bytes, at + 1)
  }
  return members
}

/** Where the elements of a list stand. */
function elementsOf(bytes: Buffer, open: number): Span[] {
  const elements: Span[] = []
  let start = skipSpace(bytes, open + 1)
  while (start < bytes.length && bytes[start] !== closeBracket) {
    const end = valueEnd(bytes, start)
    elements.push({ start, end })
    const next = skipSpace(bytes, end)
    if (bytes[next] !== comma) break
    start = skipSpace(bytes, next + 1)
  }
  return elements
}

function valueEnd(bytes: Buffer, start: number): number {
  const first = bytes[start]
  if (first === quote) return stringEnd(bytes, start)
  if (first !== openBrace && first !== openBracket) return scalarEnd(bytes, start)
  let depth = 0
  for (let at = start; at < bytes.length; at++) {
    const byte = bytes[at]
    if (byte === quote) at = stringEnd(bytes, at) - 1
    else if (byte === openBrace || byte === openBracket) depth++
    else if ((byte === closeBrace || byte === closeBracket) && --depth === 0) return at + 1
  }
  return bytes.length
}

function stringEnd(bytes: Buffer, start: number): number {
  // A loop: code in prompts is full of quotes, and `indexOf` costs as much a call as 50 bytes.
  let at = start + 1
  while (at < bytes.length && bytes[at] !== quote) at += bytes[at] === backslash ? 2 : 1
  return Math.min(at + 1, bytes.length)
}

function scalarEnd(bytes: Buffer, start: number): number {
  let at = start
  while (at < bytes.length && !isSpace(bytes[at]) && !endsScalar.has(bytes[at])) at++
  return at
}

const endsScalar: ReadonlySet<number | undefined> = new Set([comma, closeBrace, closeBracket])

function skipSpace(bytes: Buffer, from: number): number {
  let at = from
  while (isSpace(bytes[at])) at++
  return at
}

/** Behind the last byte before `end` that is no white space. */
function lastByte(bytes: Buffer, end: number): number {
  let at = end
  while (isSpace(bytes[at - 1])) at--
  return at
}

function isSpace(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09
}
