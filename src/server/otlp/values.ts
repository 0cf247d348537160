import type { SpanContext } from '@opentelemetry/api'
import type { resources } from '@opentelemetry/sdk-node'
import type { Wire } from './wire.ts'

/** What most spans or log records of a batch have in common. */
export interface Origin {
  readonly resource: resources.Resource
  readonly instrumentationScope: Scope
}

interface Scope {
  readonly name: string
  readonly version?: string | undefined
  readonly schemaUrl?: string | undefined
  readonly attributes?: object | undefined
  readonly droppedAttributesCount?: number | undefined
}

/** `ResourceSpans` or `ResourceLogs`, which have the same fields, with one scope; `items`: its spans or records. */
export function writeOrigin(
  wire: Wire,
  { resource, instrumentationScope: scope }: Origin,
  items: Uint8Array,
): void {
  wire.byte(field(1, bytes))
  const start = wire.open(3)
  writeResource(wire, resource)
  wire.byte(field(2, bytes))
  const scopeStart = wire.open(3)
  writeScope(wire, scope)
  wire.append(items)
  writeText(wire, 3, scope.schemaUrl)
  wire.close(scopeStart, 3)
  writeText(wire, 3, resource.schemaUrl)
  wire.close(start, 3)
}

/** `repeated KeyValue`. */
export function writeAttributes(wire: Wire, number: number, attributes: object): void {
  for (const name in attributes) {
    if (!Object.hasOwn(attributes, name)) continue
    writeAttribute(wire, number, name, attributes[name as keyof typeof attributes])
  }
}

export function writeAttribute(wire: Wire, number: number, name: string, value: unknown): void {
  wire.byte(field(number, bytes))
  const start = wire.open(1)
  wire.byte(field(1, bytes))
  wire.string(name)
  wire.byte(field(2, bytes))
  const valueStart = wire.open(1)
  writeValue(wire, value)
  wire.close(valueStart, 1)
  wire.close(start, 1)
}

/** `AnyValue`; nothing for what it has no type for. */
export function writeValue(wire: Wire, value: unknown): void {
  if (typeof value === 'string') {
    wire.byte(field(1, bytes))
    wire.string(value)
  } else if (typeof value === 'boolean') {
    wire.byte(field(2, varint))
    wire.byte(value ? 1 : 0)
  } else if (typeof value === 'number') {
    writeNumber(wire, value)
  } else if (value instanceof Uint8Array) {
    wire.byte(field(7, bytes))
    wire.varint(value.length)
    wire.append(value)
  } else if (Array.isArray(value)) {
    wire.byte(field(5, bytes))
    const start = wire.open(1)
    for (const each of value) {
      wire.byte(field(1, bytes))
      const eachStart = wire.open(1)
      writeValue(wire, each)
      wire.close(eachStart, 1)
    }
    wire.close(start, 1)
  } else if (typeof value === 'object' && value !== null) {
    wire.byte(field(6, bytes))
    const start = wire.open(1)
    writeAttributes(wire, 1, value)
    wire.close(start, 1)
  }
}

/** A text that is left out where it is empty. */
export function writeText(wire: Wire, number: number, text: string | undefined): void {
  if (!text) return
  wire.byte(field(number, bytes))
  wire.string(text)
}

/** Trace and span, in this field and the next. */
export function writeIds(wire: Wire, first: number, { traceId, spanId }: SpanContext): void {
  wire.byte(field(first, bytes))
  wire.id(traceId)
  wire.byte(field(first + 1, bytes))
  wire.id(spanId)
}

/** Wire types. */
export const varint = 0
export const fixed64 = 1
export const bytes = 2
export const fixed32 = 5

export function field(number: number, type: number): number {
  return (number << 3) | type
}

function writeNumber(wire: Wire, value: number): void {
  if (Number.isInteger(value) && value >= -(2 ** 63) && value < 2 ** 63) {
    wire.byte(field(3, varint))
    wire.int64(value)
  } else {
    wire.byte(field(4, fixed64))
    wire.double(value)
  }
}

function writeResource(wire: Wire, { attributes }: resources.Resource): void {
  wire.byte(field(1, bytes))
  const start = wire.open(2)
  writeAttributes(wire, 1, attributes)
  wire.byte(field(2, varint))
  wire.varint(0)
  wire.close(start, 2)
}

function writeScope(wire: Wire, scope: Scope): void {
  wire.byte(field(1, bytes))
  const start = wire.open(1)
  wire.byte(field(1, bytes))
  wire.string(scope.name)
  writeText(wire, 2, scope.version)
  if (scope.attributes) writeAttributes(wire, 3, scope.attributes)
  if (scope.droppedAttributesCount) {
    wire.byte(field(4, varint))
    wire.varint(scope.droppedAttributesCount)
  }
  wire.close(start, 1)
}
