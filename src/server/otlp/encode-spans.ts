import type { Link } from '@opentelemetry/api'
import type { tracing } from '@opentelemetry/sdk-node'
import {
  bytes,
  field,
  fixed32,
  fixed64,
  varint,
  writeAttributes,
  writeIds,
  writeText,
} from './values.ts'
import type { Wire } from './wire.ts'

/** A span as a field of its scope: the same bytes as OpenTelemetry's own serializer makes. */
export function writeSpan(wire: Wire, span: tracing.ReadableSpan): void {
  const { parentSpanContext: parent, status } = span
  const own = span.spanContext()
  wire.byte(field(2, bytes))
  const start = wire.open(2)
  writeIds(wire, 1, own)
  writeText(wire, 3, own.traceState?.serialize())
  if (parent?.spanId) {
    wire.byte(field(4, bytes))
    wire.id(parent.spanId)
  }
  wire.byte(field(5, bytes))
  wire.string(span.name)
  wire.byte(field(6, varint))
  // The API begins at 0, which here is "unspecified".
  wire.varint(span.kind + 1)
  wire.byte(field(7, fixed64))
  wire.nanoseconds(span.startTime)
  wire.byte(field(8, fixed64))
  wire.nanoseconds(span.endTime)
  writeAttributes(wire, 9, span.attributes)
  wire.byte(field(10, varint))
  wire.varint(span.droppedAttributesCount)
  for (const event of span.events) writeEvent(wire, event)
  wire.byte(field(12, varint))
  wire.varint(span.droppedEventsCount)
  for (const link of span.links) writeLink(wire, link)
  wire.byte(field(14, varint))
  wire.varint(span.droppedLinksCount)
  writeStatus(wire, status.code, status.message)
  // Two bytes from field 16 on.
  wire.varint(field(16, fixed32))
  wire.fixed32(flagsOf(own.traceFlags, parent?.isRemote))
  wire.close(start, 2)
}

export function writeStatus(wire: Wire, code: number, message: string | undefined): void {
  wire.byte(field(15, bytes))
  const start = wire.open(1)
  writeText(wire, 2, message)
  wire.byte(field(3, varint))
  wire.varint(code)
  wire.close(start, 1)
}

function writeEvent(wire: Wire, event: tracing.ReadableSpan['events'][number]): void {
  wire.byte(field(11, bytes))
  const start = wire.open(2)
  wire.byte(field(1, fixed64))
  wire.nanoseconds(event.time)
  wire.byte(field(2, bytes))
  wire.string(event.name)
  if (event.attributes) writeAttributes(wire, 3, event.attributes)
  wire.byte(field(4, varint))
  wire.varint(event.droppedAttributesCount ?? 0)
  wire.close(start, 2)
}

function writeLink(wire: Wire, { context, attributes, droppedAttributesCount = 0 }: Link): void {
  wire.byte(field(13, bytes))
  const start = wire.open(1)
  writeIds(wire, 1, context)
  writeText(wire, 3, context.traceState?.serialize())
  if (attributes) writeAttributes(wire, 4, attributes)
  wire.byte(field(5, varint))
  wire.varint(droppedAttributesCount)
  wire.byte(field(6, fixed32))
  wire.fixed32(flagsOf(context.traceFlags, context.isRemote))
  wire.close(start, 1)
}

/** Bit 8 says that bit 9 is known: whether that span is another process's. */
export function flagsOf(traceFlags: number, isRemote = false): number {
  return (traceFlags & 0xff) | 0x100 | (isRemote ? 0x200 : 0)
}
