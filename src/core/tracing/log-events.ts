import { type Attributes, trace } from '@opentelemetry/api'
import type { Log } from '../diagnostics.ts'
import type { SafeSpan } from './safe-span.ts'

/** Makes each line an event of the span of the interception that it names, or of the one that is active. */
export function eventsFromLog(log: Log, live: ReadonlyMap<string, SafeSpan>): Log {
  return (level, message, fields = {}) => {
    log(level, message, fields)
    const id = fields.interception_id
    const attributes = { ...plain(fields), 'log.severity': level }
    if (typeof id === 'string') live.get(id)?.event(message, attributes)
    else {
      const active = trace.getActiveSpan()
      // One that has ended would have the SDK complain.
      if (active?.isRecording()) active.addEvent(message, attributes)
    }
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
