import winston from 'winston'
import { snakeCase } from '../core/json.ts'
import type { Plugin } from '../core/plugin.ts'
import { mapContent } from '../core/record-content.ts'
import type { InterceptionRecord } from '../core/records.ts'
import { timestamp } from '../core/timestamp.ts'

export interface StructuredLoggerOptions {
  /** Where lines go. @default a JSON line each to standard error */
  readonly logger?: winston.Logger
  /** Prompts, tool inputs and results, reasoning: whole, by their length only, or not at all. @default 'full' */
  readonly content?: 'full' | 'redacted' | 'omit'
}

/** Writes each record as one line `interception log`, its members at top level in snake_case. */
export const structuredLogger = ({
  logger = standardError(),
  content = 'full',
}: StructuredLoggerOptions = {}): Plugin => ({
  name: 'structured-logger',
  record: (records) => {
    for (const record of records) {
      // One object: winston would append a record's own `message` to ours.
      const line = { level: 'info', message: 'interception log' }
      logger.log(addFields(line, apartOnLines, record, content))
    }
  },
})

/** A record as the fields of its log line. */
export function logFields(
  record: InterceptionRecord,
  content: 'full' | 'redacted' | 'omit' = 'full',
): Record<string, unknown> {
  return addFields({}, apart, record, content)
}

/** One pass and no copies: this is done for each record, by each log. */
function addFields<Line extends object>(
  line: Line,
  leftOut: ReadonlySet<string>,
  record: InterceptionRecord,
  content: 'full' | 'redacted' | 'omit',
): Line & Record<string, unknown> {
  const told = content === 'full' ? record : mapContent(record, hidden[content])
  const { type, id, interceptionId } = told
  const begun = Object.assign(line, { record_type: type, id, interception_id: interceptionId })
  const fields: Record<string, unknown> = begun
  for (const name in told) {
    if (!leftOut.has(name)) fields[snakeCase(name)] = told[name as keyof InterceptionRecord]
  }
  return begun
}

const apart = new Set(['type', 'id', 'interceptionId', 'seq'])
/** These say what they say on every line, whatever a plugin calls its members. */
const apartOnLines = new Set([...apart, 'level', 'message'])

const hidden = {
  redacted: (value: string) => `[redacted: ${value.length} characters]`,
  omit: () => null,
}

/** One JSON object a line: timestamp, level and message first. */
export const logLine: winston.Logform.Format = winston.format.printf((info) => {
  const json = JSON.stringify(info)
  // A copy of the object to put them in order would cost more than all else here.
  if (json.startsWith(begin)) return `{"timestamp":"${timestamp()}",${json.slice(1)}`
  const { level, message, ...fields } = info
  return JSON.stringify({ timestamp: timestamp(), level, message, ...fields })
})

const begin = '{"level":"info","message":"interception log",'

function standardError(): winston.Logger {
  const stream = new winston.transports.Stream({ stream: process.stderr })
  // A transport that fails without a listener would end the process.
  stream.on('error', () => {})
  return winston.createLogger({ format: logLine, transports: [stream] })
}
