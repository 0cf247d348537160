import type { ServerSentEvent } from './answer.ts'
import type { Misbehaviour } from './misbehaviour.ts'

/** The bytes of a stream, an event each, with what is asked to be wrong with them. */
export function* eventBytes(
  events: Iterable<ServerSentEvent>,
  { extras, badJson, error, after = 0, newline = 'lf', bom, unended }: Misbehaviour,
  errorEvents: (sent: number) => readonly ServerSentEvent[],
): Iterable<Buffer> {
  let index = 0
  let last: Buffer | undefined
  let repeated: ServerSentEvent | undefined
  const bytes = (event: ServerSentEvent) => Buffer.from(serialised(event, NEWLINES[newline]))
  if (bom) yield Buffer.from('\uFEFF')
  for (const event of withExtras(cutShort(events, error, errorEvents), extras)) {
    // One event is held back, as only the last one may lack its blank line.
    if (last) yield last
    last = bytes(index === badJson ? broken(event) : event)
    if (event.data?.includes('delta')) repeated = event
    index++
  }
  if (last) yield unended ? withoutBlankLine(last) : last
  for (let more = 0; repeated && more < after; more++) yield bytes(repeated)
}

const NEWLINES = { lf: '\n', cr: '\r', crlf: '\r\n' } as const

function* cutShort(
  events: Iterable<ServerSentEvent>,
  error: number | undefined,
  errorEvents: (sent: number) => readonly ServerSentEvent[],
): Iterable<ServerSentEvent> {
  let sent = 0
  for (const event of events) {
    if (sent === error) return yield* errorEvents(sent)
    yield event
    sent++
  }
}

function* withExtras(events: Iterable<ServerSentEvent>, extras = false): Iterable<ServerSentEvent> {
  if (!extras) return yield* events
  yield { comment: ' the simulator keeps the connection alive' }
  let first = true
  for (const event of events) {
    yield first ? { ...event, id: 'event-1' } : event
    if (first) yield { event: 'simulator.unknown', data: '{"type":"simulator.unknown","new":true}' }
    first = false
  }
}

function serialised({ event, data, id, comment }: ServerSentEvent, end: string): string {
  if (comment !== undefined) return `:${comment}${end}retry: 3000${end}${end}`
  const name = event === undefined ? '' : `event: ${event}${end}`
  const key = id === undefined ? '' : `id: ${id}${end}`
  return `${key}${name}data: ${data}${end}${end}`
}

function broken({ event, data = '' }: ServerSentEvent): ServerSentEvent {
  return { ...(event && { event }), data: data.slice(0, Math.ceil(data.length / 2)) }
}

function withoutBlankLine(bytes: Buffer): Buffer {
  return bytes.subarray(0, bytes.toString('latin1').search(/[\r\n]+$/))
}
