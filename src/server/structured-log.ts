import type { Writable } from 'node:stream'
import type { Plugin } from '../core/plugin.ts'
import { logLine, structuredLogger } from '../plugins/structured-logger.ts'
import { boundedWriter, flushed } from './bounded-writer.ts'
import { logFile } from './log-file.ts'
import { jsonGap, winstonTo } from './logger.ts'
import type { Settings } from './settings.ts'

/** Each record as a JSON line, to a file or to where the log goes; no plugin where that is off. */
export function structuredLog(
  {
    structuredLogging,
    structuredLogFile,
    logContent,
  }: Pick<Settings, 'structuredLogging' | 'structuredLogFile' | 'logContent'>,
  log: Writable,
  onDrop: (reason: string) => void,
): Plugin[] {
  if (!structuredLogging) return []
  const file = structuredLogFile === undefined ? undefined : logFile(structuredLogFile, onDrop)
  const writer = file ? boundedWriter(file, { gap: jsonGap, onDrop }) : log
  const logger = winstonTo(writer, { lines: logLine, level: 'info', onDrop })
  const plugin = structuredLogger({ logger, content: logContent })
  return [{ ...plugin, close: async () => (file ? flushed(file) : undefined) }]
}
