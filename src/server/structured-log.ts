import type { Writable } from 'node:stream'
import winston from 'winston'
import type { Plugin } from '../core/plugin.ts'
import { logLine, structuredLogger } from '../plugins/structured-logger.ts'
import { boundedWriter, flushed } from './bounded-writer.ts'
import { logFile } from './log-file.ts'
import type { LogTransports } from './log-transports/open-transports.ts'
import { jsonGap, winstonTo } from './logger.ts'
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
  const logger = structuredLogging
    ? winstonTo(writer, { lines: logLine, level: 'info', onDrop: lost })
    : winston.createLogger({ format: logLine })
  for (const transport of records) logger.add(transport)
  const plugin = structuredLogger({ logger, content: logContent })
  return [{ ...plugin, close: async () => (file ? flushed(file) : undefined) }]
}
