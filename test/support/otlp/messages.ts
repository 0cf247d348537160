import protobuf from 'protobufjs'

/** What of OTLP's messages the tests look at, with the field numbers of the specification's `.proto` files. */
const source = `
syntax = "proto3";
message AnyValue {
  oneof value {
    string stringValue = 1; bool boolValue = 2; int64 intValue = 3; double doubleValue = 4;
    ArrayValue arrayValue = 5; KeyValueList kvlistValue = 6;
  }
}
message ArrayValue { repeated AnyValue values = 1; }
message KeyValueList { repeated KeyValue values = 1; }
message KeyValue { string key = 1; AnyValue value = 2; }
message Resource { repeated KeyValue attributes = 1; }
message Event { fixed64 time = 1; string name = 2; repeated KeyValue attributes = 3; }
message Status { string message = 2; int32 code = 3; }
message Span {
  bytes traceId = 1; bytes spanId = 2; bytes parentSpanId = 4; string name = 5; int32 kind = 6;
  fixed64 start = 7; fixed64 end = 8; repeated KeyValue attributes = 9; repeated Event events = 11;
  Status status = 15;
}
message ScopeSpans { repeated Span spans = 2; }
message ResourceSpans { Resource resource = 1; repeated ScopeSpans scopeSpans = 2; }
message Traces { repeated ResourceSpans resourceSpans = 1; }
message LogRecord {
  fixed64 time = 1; int32 severityNumber = 2; AnyValue body = 5; repeated KeyValue attributes = 6;
}
message ScopeLogs { repeated LogRecord logRecords = 2; }
message ResourceLogs { Resource resource = 1; repeated ScopeLogs scopeLogs = 2; }
message Logs { repeated ResourceLogs resourceLogs = 1; }
`
const { root } = protobuf.parse(source, { keepCase: true })

export type Attributes = Readonly<Record<string, unknown>>

export interface ReceivedSpan {
  readonly name: string
  readonly traceId: string
  readonly id: string
  /** Empty for a root. */
  readonly parentId: string
  /** 1 internal, 2 server, 3 client. */
  readonly kind: number
  readonly start: bigint
  readonly end: bigint
  readonly attributes: Attributes
  readonly events: readonly { readonly name: string; readonly attributes: Attributes }[]
  readonly status: { readonly code: 0 | 1 | 2; readonly message: string }
  readonly resource: Attributes
}

export interface ReceivedLog {
  readonly body: unknown
  readonly attributes: Attributes
  readonly resource: Attributes
}

// biome-ignore lint/suspicious/noExplicitAny: what protobufjs decodes has no static shape
type Decoded = any

export function spansOf(bytes: Uint8Array): ReceivedSpan[] {
  return listOf(decode('Traces', bytes).resourceSpans).flatMap(({ resource, scopeSpans }) =>
    listOf(scopeSpans).flatMap(({ spans }) =>
      listOf(spans).map((span) => ({
        name: span.name,
        traceId: hex(span.traceId),
        id: hex(span.spanId),
        parentId: hex(span.parentSpanId),
        kind: span.kind,
        start: BigInt(span.start),
        end: BigInt(span.end),
        attributes: attributesOf(span.attributes),
        events: listOf(span.events).map(({ name, attributes }) => ({
          name,
          attributes: attributesOf(attributes),
        })),
        status: { code: span.status?.code ?? 0, message: span.status?.message ?? '' },
        resource: attributesOf(resource?.attributes),
      })),
    ),
  )
}

export function logsOf(bytes: Uint8Array): ReceivedLog[] {
  return listOf(decode('Logs', bytes).resourceLogs).flatMap(({ resource, scopeLogs }) =>
    listOf(scopeLogs).flatMap(({ logRecords }) =>
      listOf(logRecords).map(({ body, attributes }) => ({
        body: plainOf(body),
        attributes: attributesOf(attributes),
        resource: attributesOf(resource?.attributes),
      })),
    ),
  )
}

function decode(type: string, bytes: Uint8Array): Decoded {
  const message = root.lookupType(type)
  return message.toObject(message.decode(bytes), { longs: String, defaults: false })
}

export function attributesOf(list: Decoded): Attributes {
  return Object.fromEntries(listOf(list).map(({ key, value }) => [key, plainOf(value)]))
}

export function plainOf(value: Decoded): unknown {
  if (value?.arrayValue) return listOf(value.arrayValue.values).map(plainOf)
  if (value?.kvlistValue) return attributesOf(value.kvlistValue.values)
  if (value?.intValue !== undefined) return Number(value.intValue)
  return value?.stringValue ?? value?.boolValue ?? value?.doubleValue ?? null
}

function listOf(list: Decoded): Decoded[] {
  return list ?? []
}

function hex(bytes: Uint8Array | undefined): string {
  return Buffer.from(bytes ?? []).toString('hex')
}
