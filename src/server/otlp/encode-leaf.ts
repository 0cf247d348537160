import type { Attributes } from '@opentelemetry/api'
import { flagsOf, writeStatus } from './encode-spans.ts'
import type { Leaf } from './leaf.ts'
import { bytes, field, fixed32, fixed64, varint, writeAttributes, writeText } from './values.ts'
import { Wire } from './wire.ts'

/** A leaf as `writeSpan` would write it, but that its neighbours' attributes are copied as bytes. */
export function writeLeaf(wire: Wire, leaf: Leaf): void {
  const parent = leaf.parent.spanContext()
  wire.byte(field(2, bytes))
  const start = wire.open(2)
  wire.byte(field(1, bytes))
  wire.id(parent.traceId)
  wire.byte(field(2, bytes))
  wire.randomId()
  writeText(wire, 3, parent.traceState?.serialize())
  wire.byte(field(4, bytes))
  wire.id(parent.spanId)
  wire.byte(field(5, bytes))
  wire.string(leaf.name)
  wire.byte(field(6, varint))
  wire.byte(internal)
  wire.byte(field(7, fixed64))
  wire.milliseconds(leaf.startedAt)
  wire.byte(field(8, fixed64))
  wire.milliseconds(leaf.endedAt)
  wire.append(encoded(leaf.attributes))
  for (const dropped of [10, 12, 14]) {
    wire.byte(field(dropped, varint))
    wire.byte(0)
  }
  writeStatus(wire, leaf.code, leaf.message)
  wire.varint(field(16, fixed32))
  wire.fixed32(flagsOf(parent.traceFlags))
  wire.close(start, 2)
}

const internal = 1

function encoded(attributes: Encoded): Uint8Array {
  let known = attributes[bytesOf]
  if (!known) {
    writeAttributes(scratch, 9, attributes)
    known = scratch.take()
    // A copy of the attributes, with others, is not to have it.
    Object.defineProperty(attributes, bytesOf, { value: known })
  }
  return known
}

/** Kept on the attributes themselves: a WeakMap of so many is work for the collector. */
const bytesOf = Symbol('encoded')
const scratch = new Wire()

interface Encoded extends Attributes {
  readonly [bytesOf]?: Uint8Array
}
