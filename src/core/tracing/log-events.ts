import { type Attributes, trace } from '@opentelemetry/api'
import type { Log } from '../diagnostics.ts'
import type { SafeSpan } from './safe-span.ts'

/** Makes each line an event of the span of the interception that it names, or of the one that is active. */
export function eventsFromLog(log: Log, live: ReadonlyMap<string, SafeSpan>): Log {
  return (level, message, fields = {}) => {
    log(level, message, fields)
    const id = fields.interception_id
    const span = typeof id === 'string' ? live.get(id) : undefined
    const attributes = { ...plain(fields), 'log.severity': level }
    if (span) span.event(message, attributes)
    else trace.getActiveSpan()?.addEvent(message, attributes)
  }
}

function plain(fields: Readonly<Record<string, unknown>>): Attributes {
  const attributes: Attributes = {}
  for (const [name, value] of Object.entries(fields)) {
    if (typeof value === 'string') attributes[name] = value.slice(0, 1024)
    else if (typeof value === 'number' || typeof value === 'boolean') attributes[name] = value
  }
  return attributes
}
