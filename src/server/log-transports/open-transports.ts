import type { Writable } from 'node:stream'
import winston from 'winston'
import { boundedWriter, flushed } from '../bounded-writer.ts'
import type { LogTransportOptions } from '../config-log-transports.ts'
import { jsonGap, jsonLines } from '../logger.ts'
import { httpLines } from './http.ts'
import { rotatingFile } from './rotating-file.ts'
import { syslog } from './syslog.ts'

/** The configured places for lines, each behind a buffer of its own: none holds up another. */
export interface LogTransports {
  /** Those for the gateway's own words. */
  readonly log: readonly winston.transport[]
  /** Those for records. */
  readonly records: readonly winston.transport[]
  /** Resolves when what waits has left, after a moment at the latest. */
  flush(): Promise<void>
  /** Gives up what waits. */
  close(): void
}

/** What a store that does not answer may hold up a shutdown. */
const flushMs = 3000

/** Throws where one can't be opened. `told` hears of each line that is lost, and where it was to go. */
export function openLogTransports(
  options: readonly LogTransportOptions[],
  told: (reason: string, place: string) => void,
): LogTransports {
  const opened = options.map((each) => {
    const onDrop = (reason: string) => told(reason, placeOf(each))
    return { ...each, onDrop, target: targetOf(each, onDrop) }
  })
  const transports = opened.map(({ lines, level, target, onDrop }) => {
    const stream = boundedWriter(target, { gap: jsonGap, onDrop })
    const open = (own: { level: string; format?: winston.Logform.Format }) => {
      const transport = new winston.transports.Stream({ stream, ...own })
      // Without a listener it would end the process.
      transport.on('error', () => onDrop('transport'))
      return transport
    }
    return {
      log: lines.includes('log') ? [open({ level, format: jsonLines })] : [],
      records: lines.includes('records') ? [open({ level: 'info' })] : [],
    }
  })
  return {
    log: transports.flatMap(({ log }) => log),
    records: transports.flatMap(({ records }) => records),
    flush: async () => {
      await Promise.all(opened.map(({ target }) => flushed(target, flushMs)))
    },
    close: () => {
      for (const { target } of opened) if (target !== process.stderr) target.destroy()
    },
  }
}

/** Without what of a URL may be a secret. */
function placeOf(options: LogTransportOptions): string {
  if (options.type === 'console') return 'standard error'
  if (options.type === 'file') return options.path
  const { protocol, host, pathname } = new URL(options.url)
  return protocol === 'unix:' ? pathname : `${protocol}//${host}`
}

function targetOf(options: LogTransportOptions, onDrop: (reason: string) => void): Writable {
  if (options.type === 'file') return rotatingFile({ ...options, onDrop })
  if (options.type === 'syslog') return syslog({ ...options, onDrop })
  if (options.type === 'http') return httpLines({ ...options, onDrop })
  return process.stderr
}
