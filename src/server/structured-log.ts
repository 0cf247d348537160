import type { Writable } from 'node:stream'
import winston from 'winston'
import type { Plugin } from '../core/plugin.ts'
import { boundedWriter, flushed } from './bounded-writer.ts'
import { logFile } from './log-file.ts'
import type { LogTransports } from './log-transports/open-transports.ts'
import { jsonGap } from './logger.ts'
import { recordLine } from './record-line.ts'
import type { Settings } from './settings.ts'

/** Each record as a JSON line, to a file or to where the log goes, and to transports; no plugin where nobody wants it. */
export function structuredLog(
  {
    structuredLogging,
    structuredLogFile,
    logContent,
  }: Pick<Settings, 'structuredLogging' | 'structuredLogFile' | 'logContent'>,
  {
    log,
    transports,
    onDrop,
  }: {
    readonly log: Writable
    readonly transports: Pick<LogTransports, 'records'>
    readonly onDrop: (reason: string, place?: string) => void
  },
): Plugin[] {
  const { records } = transports
  if (!structuredLogging && records.length === 0) return []
  const path = structuredLogging ? structuredLogFile : undefined
  const lost = (reason: string) => onDrop(reason, path)
  const file = path === undefined ? undefined : logFile(path, lost)
  const writer = file ? boundedWriter(file, { gap: jsonGap, onDrop: lost }) : log
  const logger = records.length > 0 ? winston.createLogger({ format: madeLine }) : null
  for (const transport of records) logger?.add(transport)
  return [
    {
      name: 'structured-logger',
      record: (given) => {
        for (const record of given) {
          const line = recordLine(record, logContent)
          // Not by way of winston: its two streams more cost as much as to make the line.
          if (structuredLogging) writer.write(`${line}\n`)
          logger?.log({ level: 'info', message: '', [made]: line })
        }
      },
      close: async () => (file ? flushed(file) : undefined),
    },
  ]
}

/** Under which a line comes that is made already. */
const made = Symbol('line')
const madeLine = winston.format.printf((info) => String(info[made]))
