import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { FormatName } from '../src/core/records.ts'
import type { AnswerSpec } from './answers.ts'
import { requestBytes, routes } from './requests.ts'
import { type ServerProcess, startServer } from './server-process.ts'

export const targetNames = [
  'direct',
  'raw',
  'sluice-memory',
  'sluice-sqlite',
  'sluice-got',
  'sluice-observed',
] as const
export type TargetName = (typeof targetNames)[number]

/** Something that runs and can be measured. */
export interface Target extends ServerProcess {
  readonly name: TargetName
  /** A request for it, as bytes. */
  request(spec: AnswerSpec, kibibytes: number): Buffer
}

/** Starts a target in front of the upstream; `direct` is the upstream itself. */
export async function startTarget(name: TargetName, upstream: ServerProcess): Promise<Target> {
  const url = `http://127.0.0.1:${upstream.port}`
  const request = (spec: AnswerSpec, kibibytes: number) =>
    requestBytes({ ...spec, kibibytes, prefix: prefixOf(name, spec.format) })
  if (name === 'direct') return { ...upstream, name, request, stop: async () => {} }
  if (name === 'raw') return { ...(await startServer('measured', [rawPipe, url])), name, request }
  const folder = mkdtempSync(join(tmpdir(), 'sluice-bench-'))
  const sink = name === 'sluice-observed' ? await startServer('load', [otlpSink]) : undefined
  const server = await startServer('measured', [
    ...node,
    gateway,
    '--upstream',
    url,
    ...flags(name, folder),
    ...(sink ? ['--otlp', `http://127.0.0.1:${sink.port}`] : []),
  ])
  const stop = async () => {
    await server.stop()
    await sink?.stop()
    rmSync(folder, { recursive: true, force: true })
  }
  return { ...server, name, request, stop }
}

export const upstreamFile: string = fileURLToPath(import.meta.resolve('./upstream.ts'))
const rawPipe = fileURLToPath(import.meta.resolve('./raw-pipe.ts'))
const otlpSink = fileURLToPath(import.meta.resolve('./otlp-sink.ts'))
const gateway = fileURLToPath(import.meta.resolve('./gateway.ts'))

/** As `npm start` and the program `sluice` run: see docs/performance.md, Memory. */
const node = ['--max-semi-space-size=16']

function flags(name: TargetName, folder: string): string[] {
  if (name === 'sluice-observed') return ['--lines', join(folder, 'lines.ndjson')]
  if (name === 'sluice-sqlite') return ['--sqlite', join(folder, 'bench.db')]
  return name === 'sluice-got' ? ['--transport', 'got'] : []
}

function prefixOf(name: TargetName, format: FormatName): string {
  return name.startsWith('sluice') ? `/${routes[format].provider}` : ''
}
