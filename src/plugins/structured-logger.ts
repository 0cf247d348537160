import winston from 'winston'
import { eachLogField, type ToldContent } from '../core/log-fields.ts'
import type { Plugin } from '../core/plugin.ts'
import type { InterceptionRecord } from '../core/records.ts'
import { timestamp } from '../core/timestamp.ts'

export interface StructuredLoggerOptions {
  /** Where lines go. @default a JSON line each to standard error */
  readonly logger?: winston.Logger
  /** Prompts, tool inputs and results, reasoning: whole, by their length only, or not at all. @default 'full' */
  readonly content?: ToldContent
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
      logger.log(lineOf(record, content))
    }
  },
})

/** A record as the fields of its log line. */
export function logFields(
  record: InterceptionRecord,
  content: ToldContent = 'full',
): Record<string, unknown> {
  const fields: Record<string, unknown> = {}
  eachLogField(record, content, (name, value) => {
    fields[name] = value
  })
  return fields
}

/** `level` and `message` say what they say on every line, whatever a plugin calls its members. */
function lineOf(record: InterceptionRecord, content: ToldContent) {
  const fields: Record<string, unknown> = {}
  const line = Object.assign(fields, { level: 'info', message: 'interception log' })
  eachLogField(record, content, (name, value) => {
    if (name !== 'level' && name !== 'message') fields[name] = value
  })
  return line
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
