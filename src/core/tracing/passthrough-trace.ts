import { SpanKind } from '@opentelemetry/api'
import type { RawHeaders, Reply, Send, UpstreamRequest } from '../upstream.ts'
import { callerOf, sendWithin } from './propagate.ts'
import { SafeSpan } from './safe-span.ts'
import type { Tracing } from './tracing.ts'

/** The span of one request that is passed through. */
export class PassThroughTrace {
  readonly #span: SafeSpan

  constructor(
    { tracer }: Tracing,
    { headers, path, method }: { headers: RawHeaders; path: string; method: string },
  ) {
    const { parent, host } = callerOf(headers)
    this.#span = new SafeSpan(tracer, 'Passthrough', parent, {
      kind: host ? SpanKind.INTERNAL : SpanKind.SERVER,
      attributes: { passthrough_url: path, passthrough_method: method },
    })
  }

  send(request: UpstreamRequest, send: Send): Promise<Reply> {
    const { origin, pathname } = request.url
    // Without its query, which may hold a key.
    this.#span.set({ passthrough_upstream_url: `${origin}${pathname}` })
    return sendWithin(this.#span.context, request, send)
  }

  fail(message: string): void {
    this.#span.fail(message)
  }

  end(): void {
    this.#span.end()
  }
}
