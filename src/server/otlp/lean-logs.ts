import type { SpanContext } from '@opentelemetry/api'
import { SeverityNumber } from '@opentelemetry/api-logs'
import { eachLogField, type ToldContent } from '../../core/log-fields.ts'
import type { InterceptionRecord } from '../../core/records.ts'
import { writeSpanOf } from './encode-logs.ts'
import { bytes, field, fixed64, type Origin, varint, writeAttribute, writeText } from './values.ts'
import type { Wire } from './wire.ts'

/**
 * A record on its way to be a log record. The SDK's own would copy each field and look for cycles in it; that of a
 * record is plain JSON.
 */
export interface LeanRecord extends Origin {
  readonly record: InterceptionRecord
  readonly content: ToldContent
  readonly span: SpanContext | undefined
}

/** The same bytes as those of what `otelLog` hands to the SDK. */
export function writeLeanRecord(wire: Wire, { record, content, span }: LeanRecord): void {
  wire.byte(field(2, bytes))
  const start = wire.open(2)
  wire.byte(field(1, fixed64))
  wire.milliseconds(Date.parse(record.createdAt))
  wire.byte(field(2, varint))
  wire.byte(SeverityNumber.INFO)
  writeText(wire, 3, severityText)
  wire.byte(field(5, bytes))
  const bodyStart = wire.open(1)
  writeText(wire, 1, logBody)
  wire.close(bodyStart, 1)
  eachLogField(record, content, (name, value) => writeAttribute(wire, 6, name, value))
  wire.byte(field(7, varint))
  wire.byte(0)
  if (span) writeSpanOf(wire, span)
  wire.byte(field(11, fixed64))
  wire.milliseconds(Date.now())
  wire.close(start, 2)
}

export const severityText = 'INFO'
export const logBody = 'interception log'
