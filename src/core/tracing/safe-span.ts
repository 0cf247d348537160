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
import { type Branch, type LeafSpan, leafMaker, noLeaf } from './leaf-span.ts'

/** A span whose faults (a sampler's, a processor's) touch nobody: tracing must never cost a request. */
export class SafeSpan {
  readonly #tracer: Tracer
  readonly #span: Branch
  readonly #parent: Context
  /** False where the sampler has dropped it, and with it all that is within it. */
  readonly isRecorded: boolean
  #context: Context | undefined
  #ended = false

  constructor(
    tracer: Tracer,
    name: string,
    parent: Context,
    {
      kind = SpanKind.INTERNAL,
      attributes = {},
      span = started(tracer, name, parent, { kind, attributes }),
    }: { kind?: SpanKind; attributes?: Attributes; span?: Span } = {},
  ) {
    this.#tracer = tracer
    this.#span = span
    this.#parent = parent
    this.isRecorded = span.isRecording()
  }

  /** For what happens within it. Most spans have nothing in them. */
  get context(): Context {
    this.#context ??= trace.setSpan(this.#parent, this.#span)
    return this.#context
  }

  child(name: string, attributes: Attributes = {}, kind: SpanKind = SpanKind.INTERNAL): SafeSpan {
    // What goes on from it is told of the one that was dropped.
    const own = this.isRecorded ? { kind, attributes } : { span: this.#span }
    return new SafeSpan(this.#tracer, name, this.context, own)
  }

  /** A span in which there will be no others. The attributes are not changed any more. */
  leaf(name: string, attributes: Attributes): LeafSpan {
    if (!this.isRecorded) return noLeaf
    const make = this.#span[leafMaker]
    return make ? make(name, this.#span, attributes) : this.child(name, attributes)
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
