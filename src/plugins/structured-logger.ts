import winston from 'winston'
import { snakeKeys } from '../core/json.ts'
import type { Plugin } from '../core/plugin.ts'
import { mapContent } from '../core/record-content.ts'
import type { InterceptionRecord } from '../core/records.ts'

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
      logger.log({ ...logFields(record, content), level: 'info', message: 'interception log' })
    }
  },
})

/** A record as the fields of its log line. */
export function logFields(
  record: InterceptionRecord,
  content: 'full' | 'redacted' | 'omit' = 'full',
): Record<string, unknown> {
  const {
    type,
    id,
    interceptionId,
    seq: _,
    ...members
  } = mapContent(record, (value) => {
    if (content === 'full') return value
    return content === 'omit' ? null : `[redacted: ${value.length} characters]`
  })
  return { record_type: type, id, interception_id: interceptionId, ...snakeKeys(members) }
}

/** One JSON object a line: timestamp, level and message first. */
export const logLine: winston.Logform.Format = winston.format.printf(
  ({ level, message, ...fields }) =>
    JSON.stringify({ timestamp: new Date().toISOString(), level, message, ...fields }),
)

function standardError(): winston.Logger {
  const stream = new winston.transports.Stream({ stream: process.stderr })
  // A transport that fails without a listener would end the process.
  stream.on('error', () => {})
  return winston.createLogger({ format: logLine, transports: [stream] })
}
