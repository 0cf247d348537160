import {
  type Context,
  context,
  createContextKey,
  propagation,
  ROOT_CONTEXT,
  type TextMapGetter,
  trace,
} from '@opentelemetry/api'
import { filterHeaders, headerValue } from '../headers.ts'
import type { RawHeaders, Reply, Send, UpstreamRequest } from '../upstream.ts'

/** What a request goes on from: the span that a host has open for it, else what its headers say. */
export function callerOf(headers: RawHeaders): {
  readonly parent: Context
  readonly host: boolean
} {
  try {
    const active = context.active()
    if (trace.getSpan(active)) return { parent: active, host: true }
    return { parent: propagation.extract(active, headers, fromRaw), host: false }
  } catch {
    return { parent: ROOT_CONTEXT, host: false }
  }
}

/** Sends a request that names `within` as what it goes on from, in place of what the client said. */
export function sendWithin(within: Context, request: UpstreamRequest, send: Send): Promise<Reply> {
  const headers = withContext(within, request.headers)
  return withoutOtherSpans(within, () => send({ ...request, headers }))
}

/** A host's own instrumentation of HTTP clients would make a second span, and name that. */
export function withoutOtherSpans<T>(within: Context, run: () => T): T {
  return context.with(within.setValue(suppressed, true), run)
}

/** Headers, by name, that tell others of a context. */
export type Carrier = Readonly<Record<string, string>>

export function carrierOf(within: Context): Carrier {
  const carrier: Record<string, string> = {}
  try {
    propagation.inject(within, carrier)
  } catch {
    return {}
  }
  return carrier
}

function withContext(within: Context, headers: RawHeaders): RawHeaders {
  const carrier = Object.entries(carrierOf(within))
  if (carrier.length === 0) return headers
  // The names that it is asked of are in lower case.
  const isOurs = (name: string) =>
    carrier.some(([own]) => own.length === name.length && own.toLowerCase() === name)
  return [...filterHeaders(headers, (name) => !isOurs(name)), ...carrier.flat()]
}

const fromRaw: TextMapGetter<RawHeaders> = {
  keys: (headers) => headers.filter((_, at) => at % 2 === 0).map((name) => name.toLowerCase()),
  get: (headers, name) => headerValue(headers, name.toLowerCase()),
}

/** The SDK's own key: it is the same wherever it is made. */
const suppressed = createContextKey('OpenTelemetry SDK Context Key SUPPRESS_TRACING')
