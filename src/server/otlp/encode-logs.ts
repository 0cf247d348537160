import type { SpanContext } from '@opentelemetry/api'
import type { logs } from '@opentelemetry/sdk-node'
import {
  bytes,
  field,
  fixed32,
  fixed64,
  varint,
  writeAttributes,
  writeIds,
  writeText,
  writeValue,
} from './values.ts'
import type { Wire } from './wire.ts'

/** A log record as a field of its scope: the same bytes as OpenTelemetry's own serializer makes. */
export function writeLogRecord(wire: Wire, record: logs.ReadableLogRecord): void {
  const { spanContext: span } = record
  wire.byte(field(2, bytes))
  const start = wire.open(2)
  wire.byte(field(1, fixed64))
  wire.nanoseconds(record.hrTime)
  if (record.severityNumber) {
    wire.byte(field(2, varint))
    wire.varint(record.severityNumber)
  }
  writeText(wire, 3, record.severityText)
  if (record.body !== undefined) {
    wire.byte(field(5, bytes))
    const bodyStart = wire.open(1)
    writeValue(wire, record.body)
    wire.close(bodyStart, 1)
  }
  writeAttributes(wire, 6, record.attributes)
  wire.byte(field(7, varint))
  wire.varint(record.droppedAttributesCount)
  if (span) writeSpanOf(wire, span)
  wire.byte(field(11, fixed64))
  wire.nanoseconds(record.hrTimeObserved)
  writeText(wire, 12, record.eventName)
  wire.close(start, 2)
}

/** Which span a log record is of. */
export function writeSpanOf(wire: Wire, span: SpanContext): void {
  if (span.traceFlags) {
    wire.byte(field(8, fixed32))
    wire.fixed32(span.traceFlags)
  }
  writeIds(wire, 9, span)
}
