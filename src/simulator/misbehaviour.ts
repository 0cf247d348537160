import type { IncomingHttpHeaders } from 'node:http'
import { type JsonObject, stringOf } from '../core/json.ts'

/**
 * How an answer goes wrong, or at what pace it goes right. All of it by `next({ … })`, and most of it by request, in the
 * words below: header `x-simulate: status=529` or `cut=3 how=fin wait=100`, model `sim-status-529` or `sim-cut-3-how-fin`.
 */
export interface Misbehaviour {
  /** Refuses with this status in the vendor's own shape: 400, 401, 429, 503, 529, … */
  readonly status?: number
  /** Milliseconds before the headers. */
  readonly wait?: number
  /** Milliseconds between the headers and the first byte of the body. */
  readonly pause?: number
  /** Milliseconds between two writes. */
  readonly delay?: number
  /** Falls silent for ever after so many writes; `true`: before the headers. */
  readonly stall?: number | true
  /** Cuts the connection after so many writes; `true`: before the headers. */
  readonly cut?: number | true
  /** Cuts it after so many bytes of the body. */
  readonly cutBytes?: number
  /** How it is cut: a TCP reset, a TCP end amid the HTTP body, or a clean end of the HTTP body. @default 'reset' */
  readonly how?: 'reset' | 'fin' | 'end'
  /** Puts a whole reply, or all that comes between two pauses, into one write. */
  readonly burst?: boolean
  /** Cuts the body anew: so many bytes a write, or at these offsets. */
  readonly split?: number | readonly number[]
  /** Breaks the JSON of this event (from 0), or of a blocking body. */
  readonly badJson?: number
  /** Says a content-length that is so many bytes too long, or with a minus too short. */
  readonly length?: number
  /** No length and no chunks: the body lasts until the connection closes. */
  readonly close?: boolean
  /** Compresses the body, whatever the client accepts. */
  readonly encode?: 'gzip' | 'deflate' | 'br' | 'zstd'
  /** After so many events, the format's error event ends the stream. */
  readonly error?: number
  /** Adds comments, an unknown event, an `id` and a `retry` to the stream. */
  readonly extras?: boolean
  /** How lines of the stream end. @default 'lf' */
  readonly newline?: 'lf' | 'cr' | 'crlf'
  /** Begins the stream with a byte order mark. */
  readonly bom?: boolean
  /** Leaves out the blank line after the last event. */
  readonly unended?: boolean
  /** After the last event, sends so many more; `Infinity` without an end. */
  readonly after?: number
  /** Never ends the body after its last byte. */
  readonly open?: boolean
  /** Adds so many text events of so many bytes (`3x1000`). */
  readonly fill?: { readonly events: number; readonly bytes: number }
}

/** What a request asks for by itself, by header or by the model's name; words that are none are left alone. */
export function simulated(headers: IncomingHttpHeaders, body: JsonObject): Misbehaviour {
  const model = stringOf(body.model) ?? ''
  const named = model.startsWith('sim-') ? model.slice('sim-'.length).split(/[-+]/) : []
  const header = String(headers['x-simulate'] ?? '').split(/[\s,;=]+/)
  return { ...parsed(named), ...parsed(header) }
}

function parsed(words: readonly string[]): Misbehaviour {
  const result: Record<string, unknown> = {}
  for (const [index, word] of words.entries()) {
    const name = word.toLowerCase()
    const read = WORDS[name]
    if (read) result[NAMES[name] ?? name] = read(words[index + 1] ?? '')
  }
  return result
}

/** Members with a capital letter, as words in lower case. */
const NAMES: Readonly<Record<string, string>> = { cutbytes: 'cutBytes', badjson: 'badJson' }

const number = (text: string) => Number.parseInt(text, 10) || 0
const ordinal = (text: string) => (/^\d/.test(text) ? number(text) : true)
const yes = () => true
const same = (text: string) => text

const WORDS: Readonly<Record<string, (next: string) => unknown>> = {
  status: number,
  wait: number,
  pause: number,
  delay: number,
  stall: ordinal,
  cut: ordinal,
  cutbytes: number,
  how: same,
  burst: yes,
  split: (text) => Math.max(1, number(text)),
  badjson: number,
  length: number,
  close: yes,
  encode: same,
  error: number,
  extras: yes,
  newline: same,
  bom: yes,
  unended: yes,
  after: (text) => (text === 'ever' ? Infinity : number(text)),
  open: yes,
  fill(text) {
    const [events = 1, bytes = 1000] = text.split('x').map(Number)
    return { events, bytes }
  },
}
