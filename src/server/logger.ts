import type { Writable } from 'node:stream'
import winston from 'winston'
import type { Log, LogLevel } from '../core/diagnostics.ts'
import { boundedWriter, flushed } from './bounded-writer.ts'
import type { LogTransports } from './log-transports/open-transports.ts'
import { printable } from './printable.ts'

export interface Logger {
  readonly log: Log
  /** Text for people, as it is. Left out in JSON, where every line is an object. */
  readonly say: (text: string) => void
  /** The writer below, for others who write lines to the same place. */
  readonly writer: Writable
  setLevel(level: LogLevel): void
  /** Resolves when all lines have left, after a few seconds at the latest. */
  flush(): Promise<void>
}

export interface LoggerOptions {
  readonly format?: 'text' | 'json'
  readonly level?: LogLevel
  /** @default standard error */
  readonly target?: Writable
  /** Told of every line that could not be written. */
  readonly onDrop?: (reason: string) => void
  /** Other places for the same lines. @default none */
  readonly transports?: Pick<LogTransports, 'log' | 'flush'>
}

/** The gateway's own log: winston, through one bounded writer. */
export function createLogger({
  format = 'text',
  level = 'info',
  target = process.stderr,
  onDrop = () => {},
  transports = { log: [], flush: async () => {} },
}: LoggerOptions = {}): Logger {
  const writer = boundedWriter(target, { onDrop, ...(format === 'json' && { gap: jsonGap }) })
  const lines = format === 'json' ? jsonLines : textLines
  const logger = winstonTo(writer, { lines, level, onDrop })
  for (const transport of transports.log) logger.add(transport)
  return {
    log: (level, message, fields) => {
      logger.log({ ...fields, level, message })
    },
    say: (text) => {
      if (format === 'text') writer.write(text)
    },
    writer,
    setLevel: (wanted) => {
      logger.level = wanted
    },
    flush: async () => {
      await Promise.all([flushed(target), transports.flush()])
    },
  }
}

/** A winston logger that writes to one place, and whose errors end nothing. */
function winstonTo(
  stream: Writable,
  {
    lines,
    level,
    onDrop,
  }: {
    lines: winston.Logform.Format
    level: LogLevel
    onDrop: (reason: string) => void
  },
): winston.Logger {
  const transport = new winston.transports.Stream({ stream })
  transport.on('error', () => onDrop('transport'))
  const logger = winston.createLogger({ level, format: lines, transports: [transport] })
  logger.on('error', () => onDrop('logger'))
  return logger
}

/** The line that tells of a gap in a log of JSON lines. */
export function jsonGap(lines: number): string {
  const message = `${lines} lines left out: the log could not be written`
  return `${JSON.stringify({ timestamp: new Date().toISOString(), level: 'warn', message })}\n`
}

/** One JSON object a line: timestamp, level and message first. */
export const jsonLines: winston.Logform.Format = winston.format.printf(
  ({ level, message, ...fields }) =>
    JSON.stringify({ timestamp: new Date().toISOString(), level, message, ...fields }, plainError),
)

const textLines = winston.format.printf(({ level, message, ...fields }) => {
  const time = new Date().toTimeString().slice(0, 8)
  const mark = level === 'info' ? '' : `${level} `
  const rest = Object.entries(fields).map(([key, value]) => ` ${key}=${fieldText(value)}`)
  return printable(`${time} ${mark}${String(message)}${rest.join('')}`)
})

function fieldText(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value, plainError) ?? 'undefined')
}

/** An `Error` has no members of its own that JSON would show. */
function plainError(_key: string, value: unknown): unknown {
  if (!(value instanceof Error)) return value
  return { message: value.message, ...('code' in value && { code: value.code }) }
}
