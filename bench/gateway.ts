import { createServer } from 'node:http'
import { parseArgs } from 'node:util'
import Koa from 'koa'
import { createGateway } from '../src/core/gateway.ts'
import type { Plugin } from '../src/core/plugin.ts'
import { anthropic } from '../src/core/providers/anthropic.ts'
import { openai } from '../src/core/providers/openai.ts'
import { capturers } from '../src/plugins/capturers.ts'

/** Sluice as a user's own server has it: Koa, all capturers, one recorder. */
const { values } = parseArgs({
  options: {
    upstream: { type: 'string', default: '' },
    transport: { type: 'string', default: 'undici' },
    /** A file for SQLite; records stay in memory without it. */
    sqlite: { type: 'string' },
    /** Spans and log records go there, and a log line for each record to a file. */
    otlp: { type: 'string' },
    lines: { type: 'string' },
    /** What of these is on, by comma. */
    observe: { type: 'string', default: 'traces,logs,lines' },
  },
})
const parts = values.otlp === undefined ? [] : values.observe.split(',')
const observed = await observe()
const gateway = createGateway({
  tracing: parts.includes('traces'),
  providers: [anthropic({ baseUrl: values.upstream }), openai({ baseUrl: values.upstream })],
  plugins: [...capturers(), ...observed, await createRecorder(values.sqlite)],
  initiator: () => 'bench',
  transport: values.transport === 'got' ? 'got' : 'undici',
})
await gateway.open()
const app = new Koa().use(gateway.middleware())
// The load generator drops streams on purpose.
app.silent = true
const server = createServer(app.callback())
server.listen({ port: 0, host: '127.0.0.1', backlog: 2048 }, () => {
  const address = server.address()
  // Not by console, which the SDK's start turns to standard error.
  if (typeof address === 'object')
    process.stdout.write(`listening on http://127.0.0.1:${address?.port}\n`)
})

/** All that a gateway tells the outside: spans, log records, log lines. */
async function observe(): Promise<readonly Plugin[]> {
  if (values.otlp === undefined) return []
  process.env.OTEL_EXPORTER_OTLP_ENDPOINT = values.otlp
  // No span may be dropped: that would be cheap.
  process.env.OTEL_BSP_MAX_QUEUE_SIZE = '100000'
  process.env.OTEL_BLRP_MAX_QUEUE_SIZE = '100000'
  const { startTelemetry } = await import('../src/server/telemetry.ts')
  const { structuredLog } = await import('../src/server/structured-log.ts')
  const log = (level: string, message: string) => console.error(level, message)
  const logContent = 'full'
  const on = { trace: parts.includes('traces'), otelLogs: parts.includes('logs') }
  const settings = {
    ...on,
    otelMetrics: false,
    semconv: '1.41',
    logContent,
    providers: [],
  } as const
  const { plugins } = await startTelemetry(settings, log)
  const structuredLogging = parts.includes('lines')
  const lines = { structuredLogging, structuredLogFile: values.lines, logContent } as const
  const onDrop = (reason: string) => console.error('a line was dropped', reason)
  const transports = { records: [] }
  return [...plugins, ...structuredLog(lines, { log: process.stderr, transports, onDrop })]
}

/** Loaded only when asked for: memory is measured. */
async function createRecorder(sqliteFile: string | undefined): Promise<Plugin> {
  if (sqliteFile === undefined) {
    const { memoryRecorder } = await import('../src/plugins/memory-recorder.ts')
    return memoryRecorder()
  }
  const { sqliteRecorder } = await import('../src/plugins/sqlite-recorder.ts')
  return sqliteRecorder({ path: sqliteFile })
}
