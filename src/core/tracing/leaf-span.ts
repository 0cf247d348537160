import type { Attributes, Span } from '@opentelemetry/api'

/** A span that has no others within it: most are. */
export interface LeafSpan {
  /** All of its attributes. */
  set(attributes: Attributes): void
  /** Its status is Error from here on. */
  fail(message: string): void
  /** Only the first call counts. `at`: by `performance.now()`, if not now. */
  end(at?: number): void
}

/** Where a span of the SDK says that leaves within it may be made at less cost than the SDK's own spans. */
export const leafMaker: unique symbol = Symbol('leaf maker')

/** `attributes` is kept: what is shared by many spans is encoded once. */
export type LeafMaker = (name: string, parent: Span, attributes: Attributes) => LeafSpan

export interface Branch extends Span {
  [leafMaker]?: LeafMaker
}

/** In what the sampler has dropped. */
export const noLeaf: LeafSpan = { set: () => {}, fail: () => {}, end: () => {} }
