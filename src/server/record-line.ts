import { eachLogField, type ToldContent } from '../core/log-fields.ts'
import type { InterceptionRecord } from '../core/records.ts'
import { timestamp } from '../core/timestamp.ts'

/**
 * A record's `interception log` line as `structuredLogger` with `logLine` writes it, without the object in between:
 * V8 makes a dictionary of one that gets its members by computed names, and JSON of that takes twice as long.
 */
export function recordLine(record: InterceptionRecord, content: ToldContent): string {
  let line = `{"timestamp":"${timestamp()}","level":"info","message":"interception log"`
  eachLogField(record, content, (name, value) => {
    // These say what they say on every line, whatever a plugin calls its members.
    if (name === 'level' || name === 'message') return
    const json = jsonOf(value)
    if (json !== undefined) line += beginOf(name) + json
  })
  return `${line}}`
}

function jsonOf(value: unknown): string | undefined {
  if (value === null) return 'null'
  if (typeof value === 'number' && Number.isFinite(value)) return `${value}`
  if (typeof value === 'boolean') return value ? 'true' : 'false'
  return JSON.stringify(value)
}

function beginOf(name: string): string {
  const known = begins.get(name)
  if (known !== undefined) return known
  const begin = `,${JSON.stringify(name)}:`
  if (begins.size < 1000) begins.set(name, begin)
  return begin
}

/** Each record is told by the same few names. */
const begins = new Map<string, string>()
