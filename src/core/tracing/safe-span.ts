import {
  type Attributes,
  type Context,
  INVALID_SPAN_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  trace,
} from '@opentelemetry/api'

/** A span whose faults (a sampler's, a processor's) touch nobody: tracing must never cost a request. */
export class SafeSpan {
  readonly #tracer: Tracer
  readonly #span: Span
  readonly #parent: Context
  #context: Context | undefined
  #ended = false

  constructor(
    tracer: Tracer,
    name: string,
    parent: Context,
    {
      kind = SpanKind.INTERNAL,
      attributes = {},
    }: { kind?: SpanKind; attributes?: Attributes } = {},
  ) {
    this.#tracer = tracer
    this.#span = started(tracer, name, parent, { kind, attributes })
    this.#parent = parent
  }

  /** For what happens within it. Most spans have nothing in them. */
  get context(): Context {
    this.#context ??= trace.setSpan(this.#parent, this.#span)
    return this.#context
  }

  child(name: string, attributes: Attributes = {}, kind: SpanKind = SpanKind.INTERNAL): SafeSpan {
    return new SafeSpan(this.#tracer, name, this.context, { kind, attributes })
  }

  set(attributes: Attributes): void {
    harmless(() => this.#span.setAttributes(attributes))
  }

  event(name: string, attributes: Attributes): void {
    harmless(() => this.#span.addEvent(name, attributes))
  }

  /** Its status is Error from here on. */
  fail(message: string): void {
    harmless(() => this.#span.setStatus({ code: SpanStatusCode.ERROR, message }))
  }

  /** Only the first call counts. `at`: by `performance.now()`, if not now. */
  end(at?: number): void {
    if (this.#ended) return
    this.#ended = true
    harmless(() => this.#span.end(at))
  }
}

function started(
  tracer: Tracer,
  name: string,
  parent: Context,
  options: { readonly kind: SpanKind; readonly attributes: Attributes },
): Span {
  try {
    return tracer.startSpan(name, options, parent)
  } catch {
    return trace.wrapSpanContext(INVALID_SPAN_CONTEXT)
  }
}

function harmless(act: () => void): void {
  try {
    act()
  } catch {
    // What is lost is a span.
  }
}
