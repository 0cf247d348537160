import type { Readable } from 'node:stream'

/** `[name, value, name, value, …]` as on the wire: case, order and duplicates kept; latin-1 strings. */
export type RawHeaders = readonly string[]

export interface UpstreamRequest {
  readonly method: string
  /** Absolute, with its query string. */
  readonly url: URL
  /** Without hop-by-hop headers, `host` and `content-length`: the transport sets those. */
  readonly headers: RawHeaders
  /** A whole body, or a stream that is passed on as it comes (its length, if the client told it, beside it). */
  readonly body: Uint8Array | Readable | null
  readonly contentLength?: number
  /** Aborts the call at any moment: while connecting, waiting for headers or reading the body. */
  readonly signal: AbortSignal
}

/** Whoever gets a reply reads its body to the end or destroys it. */
export interface Reply {
  readonly status: number
  readonly statusText: string
  readonly headers: RawHeaders
  /** The very bytes, not decoded. Ends cleanly where HTTP ended cleanly, errors where it was cut or short. */
  readonly body: Readable
}

/** The upstream call. Rejects with a `SluiceError` `ERR_UPSTREAM_UNREACHABLE` when no response headers came. */
export type Send = (request: UpstreamRequest) => Promise<Reply>

/** Retry, circuit breaker, key failover: a function around the upstream call that may act. */
export type Layer = (send: Send) => Send

/** An HTTP client behind `Send`, and how to let its idle connections go. */
export interface Transport {
  readonly name: 'undici' | 'got'
  readonly send: Send
  close(): Promise<void>
}

export interface TransportOptions {
  /** Negotiate HTTP/2 with the upstream (loses the status text). @default false */
  readonly http2?: boolean
  /** Proxy for `http:` and `https:` upstreams and the hosts that bypass it. @default none */
  readonly proxy?: ProxySettings
  /** How long an idle connection is kept, in ms. @default 4000: upstreams close theirs silently at 5 s */
  readonly idleTimeoutMs?: number
}

export interface ProxySettings {
  readonly httpProxy?: string
  readonly httpsProxy?: string
  /** Comma separated hosts, as in `NO_PROXY`. */
  readonly noProxy?: string
}
