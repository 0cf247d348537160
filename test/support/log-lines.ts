import { Writable } from 'node:stream'
import winston from 'winston'
import { logLine } from '../../src/plugins/structured-logger.ts'

export type LoggedLine = Readonly<Record<string, unknown>>

/** A logger for `structuredLogger` whose lines are kept, parsed. */
export function capturingLogger(): {
  logger: winston.Logger
  lines: LoggedLine[]
  texts: string[]
} {
  const lines: LoggedLine[] = []
  const texts: string[] = []
  const stream = new Writable({
    write: (chunk, _, done) => {
      texts.push(String(chunk))
      lines.push(JSON.parse(String(chunk)))
      done()
    },
  })
  const transports = [new winston.transports.Stream({ stream })]
  return { logger: winston.createLogger({ format: logLine, transports }), lines, texts }
}
