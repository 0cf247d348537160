import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { needs } from '../needs.ts'
import { type Attributes, attributesOf, plainOf } from './messages.ts'

const tools = process.env.SLUICE_CI_TOOLS ?? join(homedir(), '.cache', 'sluice-ci')
const program = join(tools, 'otelcol', 'otelcol')

/** For `{ skip: noCollector }`. */
export const noCollector: string | false = needs('otlp', existsSync(program))

export interface CollectedSpan {
  readonly name: string
  readonly traceId: string
  readonly id: string
  readonly parentId: string
  readonly kind: number
  readonly attributes: Attributes
  readonly resource: Attributes
  readonly statusCode: number
}

export interface CollectedLog {
  readonly body: unknown
  readonly traceId: string
  readonly spanId: string
  readonly attributes: Attributes
  readonly resource: Attributes
}

export interface CollectedMetric {
  readonly name: string
  readonly unit: string
  readonly resource: Attributes
  readonly points: readonly { readonly attributes: Attributes; readonly count: number }[]
}

export interface Collected {
  readonly spans: readonly CollectedSpan[]
  readonly logs: readonly CollectedLog[]
  readonly metrics: readonly CollectedMetric[]
}

export interface Collector {
  readonly http: string
  readonly grpc: string
  /** Ends it and tells all that it was sent. */
  stop(): Promise<Collected>
}

/** OpenTelemetry's own collector, that `.ci/otlp` builds, on ports of its own. */
export async function startCollector(): Promise<Collector> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-otelcol-'))
  const config = join(folder, 'config.yaml')
  const written = join(folder, 'received.ndjson')
  const endpoint = '127.0.0.1:0'
  const pipeline = { receivers: ['otlp'], exporters: ['file'] }
  // JSON is YAML.
  const settings = {
    receivers: { otlp: { protocols: { http: { endpoint }, grpc: { endpoint } } } },
    exporters: { file: { path: written } },
    service: {
      telemetry: { metrics: { level: 'none' }, logs: { encoding: 'json' } },
      pipelines: { traces: pipeline, metrics: pipeline, logs: pipeline },
    },
  }
  writeFileSync(config, JSON.stringify(settings))
  const child = spawn(program, ['--config', config], { stdio: ['ignore', 'ignore', 'pipe'] })
  const exited = once(child, 'exit')
  const addresses: Record<string, string> = {}
  const said: string[] = []
  for await (const line of createInterface({ input: child.stderr })) {
    said.push(line)
    const { msg, endpoint: bound } = JSON.parse(line) as { msg: string; endpoint?: string }
    const [, protocol] = /^Starting (HTTP|GRPC) server/.exec(msg) ?? []
    if (protocol && bound) addresses[protocol] = `http://${bound}`
    if (/^Everything is ready/.test(msg)) break
  }
  child.stderr.resume()
  const { HTTP: http, GRPC: grpc } = addresses
  if (!http || !grpc) throw new Error(`the collector is not ready: ${said.join('\n')}`)
  return {
    http,
    grpc,
    stop: async () => {
      child.kill('SIGTERM')
      await exited
      const lines = readFileSync(written, 'utf8').trimEnd().split('\n')
      rmSync(folder, { recursive: true, force: true })
      return collected(lines.map((line) => JSON.parse(line) as Lines))
    },
  }
}

// biome-ignore lint/suspicious/noExplicitAny: JSON of OTLP, read for what the tests look at
type Lines = Readonly<Record<string, any>>

function collected(lines: readonly Lines[]): Collected {
  const each = (resources: string, scopes: string, members: string) =>
    lines.flatMap(({ [resources]: list = [] }) =>
      list.flatMap(({ resource, [scopes]: inner = [] }: Lines) =>
        inner.flatMap(({ [members]: items = [] }: Lines) =>
          items.map((item: Lines) => ({
            ...item,
            attributes: attributesOf(item.attributes),
            resource: attributesOf(resource?.attributes),
          })),
        ),
      ),
    ) as Lines[]
  return {
    spans: each('resourceSpans', 'scopeSpans', 'spans').map((span) => ({
      name: span.name,
      traceId: span.traceId,
      id: span.spanId,
      parentId: span.parentSpanId ?? '',
      kind: span.kind,
      attributes: span.attributes,
      resource: span.resource,
      statusCode: span.status?.code ?? 0,
    })),
    logs: each('resourceLogs', 'scopeLogs', 'logRecords').map((log) => ({
      body: plainOf(log.body),
      traceId: log.traceId ?? '',
      spanId: log.spanId ?? '',
      attributes: log.attributes,
      resource: log.resource,
    })),
    metrics: each('resourceMetrics', 'scopeMetrics', 'metrics').map((metric) => ({
      name: metric.name,
      unit: metric.unit,
      resource: metric.resource,
      points: (metric.histogram ?? metric.sum ?? { dataPoints: [] }).dataPoints.map(
        (point: Lines) => ({
          attributes: attributesOf(point.attributes),
          count: Number(point.count ?? point.asInt ?? point.asDouble),
        }),
      ),
    })),
  }
}
