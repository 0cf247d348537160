import type { IncomingHttpHeaders } from 'node:http'
import type { Answer } from './answer.ts'
import type { Misbehaviour } from './misbehaviour.ts'

/** One request as the fake upstream got it. */
export interface ReceivedRequest {
  readonly method: string
  readonly url: string
  /** Names and values in turn, as they came. */
  readonly rawHeaders: readonly string[]
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
  /** The parsed body, undefined where it is no JSON. */
  readonly json: unknown
  /** Bytes of the reply's body handed to the socket so far. */
  readonly bytesWritten: number
  /** How the reply ended: sent whole, broken off as planned, or the client left before. */
  readonly ended: Promise<'sent' | 'cut' | 'gone'>
  /** Resolves when the connection has closed, which with keep-alive comes long after the reply's end. */
  readonly closed: Promise<void>
}

type Bytes = string | Uint8Array

/** What to reply instead of, or how to change, the well-behaved answer. */
export interface Reply extends Misbehaviour {
  /** Parts of what the model says. */
  readonly answer?: Partial<Answer>
  readonly statusText?: string
  /** Added to the vendor's headers; a list of names and values in turn replaces them all and is sent as it is. */
  readonly headers?: Readonly<Record<string, string | string[]>> | readonly string[]
  /** The body, verbatim. Each item is one write; the next is drawn when the last has left. */
  readonly raw?: Bytes | Iterable<Bytes> | AsyncIterable<Bytes>
  /** The whole reply with status line and headers, verbatim; then the connection closes unless `open`. */
  readonly wire?: Bytes | Iterable<Bytes> | AsyncIterable<Bytes>
}

export type Replier = (request: ReceivedRequest) => Reply | undefined | Promise<Reply | undefined>
