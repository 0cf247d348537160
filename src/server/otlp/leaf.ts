import { type Attributes, SpanStatusCode } from '@opentelemetry/api'
import type { tracing } from '@opentelemetry/sdk-node'
import type { LeafSpan } from '../../core/tracing/leaf-span.ts'
import type { Batches } from './batches.ts'
import type { Origin } from './values.ts'

/**
 * A finished span is all that is wanted of a leaf: nothing goes on from it, its sampling is its parent's, and its
 * attributes are those of its neighbours. The SDK's own span copies and checks them three times.
 */
export class Leaf implements LeafSpan, Origin {
  readonly name: string
  readonly parent: tracing.ReadableSpan
  readonly startedAt: number = Date.now()
  attributes: Attributes
  code: SpanStatusCode = SpanStatusCode.UNSET
  message = ''
  endedAt = 0
  readonly #begun = performance.now()
  readonly #batches: Batches<tracing.ReadableSpan | Leaf>

  constructor(
    batches: Batches<tracing.ReadableSpan | Leaf>,
    name: string,
    parent: tracing.ReadableSpan,
    attributes: Attributes,
  ) {
    this.#batches = batches
    this.name = name
    this.parent = parent
    this.attributes = attributes
  }

  get resource(): Origin['resource'] {
    return this.parent.resource
  }

  get instrumentationScope(): Origin['instrumentationScope'] {
    return this.parent.instrumentationScope
  }

  set(attributes: Attributes): void {
    this.attributes = attributes
  }

  fail(message: string): void {
    this.code = SpanStatusCode.ERROR
    this.message = message
  }

  /** As the SDK counts: from a clock that may be set, by one that only goes forward. */
  end(at: number = performance.now()): void {
    if (this.endedAt > 0) return
    this.endedAt = this.startedAt + Math.max(0, at - this.#begun)
    this.#batches.add(this)
  }
}
