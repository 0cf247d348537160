import { AsyncLocalStorage } from 'node:async_hooks'
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js'
import { objectOf } from '../json.ts'
import { type Carrier, carrierOf, withoutOtherSpans } from '../tracing/propagate.ts'
import type { SafeSpan } from '../tracing/safe-span.ts'

/** What the messages that are being sent go on from. */
const sending = new AsyncLocalStorage<{ carrier: Carrier | null }>()

/** Messages that `run` sends name the span; without one they name none, whatever they are sent amid. */
export function sendWithin<T>(
  span: SafeSpan | null | undefined,
  run: () => Promise<T>,
): Promise<T> {
  if (!span) return sending.run({ carrier: null }, run)
  const sent = { carrier: carrierOf(span.context) as Carrier | null }
  const over = () => {
    // What `run` has started, a stream of news, goes on in its context.
    sent.carrier = null
  }
  return withoutOtherSpans(span.context, () => sending.run(sent, run)).finally(over)
}

/** The headers of a message, with those that tell its trace. */
export function withTraceHeaders(headers: RequestInit['headers']): RequestInit['headers'] {
  const carrier = sending.getStore()?.carrier
  if (!carrier) return headers
  const all = new Headers(headers)
  for (const [name, value] of Object.entries(carrier)) all.set(name, value)
  return all
}

/**
 * Has the transport's requests tell their trace in `_meta`, which passes through pipes and what lies between servers
 * (https://modelcontextprotocol.io/seps/414-request-meta).
 */
export function tellTraces(transport: Transport): void {
  const send = transport.send.bind(transport)
  transport.send = (message, options) => {
    const carrier = sending.getStore()?.carrier
    if (!carrier || !('method' in message) || !('id' in message)) return send(message, options)
    const trace = Object.entries(carrier).filter(([name]) => reserved.has(name))
    if (trace.length === 0) return send(message, options)
    const params = objectOf(message.params)
    const meta = { ...Object.fromEntries(trace), ...objectOf(params._meta) }
    return send({ ...message, params: { ...params, _meta: meta } }, options)
  }
}

/** The only keys without a prefix that `_meta` may have. */
const reserved: ReadonlySet<string> = new Set(['traceparent', 'tracestate', 'baggage'])
