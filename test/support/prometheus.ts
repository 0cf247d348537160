import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { needs } from './needs.ts'

/** For `{ skip: noPrometheus }`. */
export const noPrometheus: string | false = needs(
  'prometheus',
  ['prometheus', 'promtool'].every((name) => spawnSync(name, ['--version']).status === 0),
)

export interface Sample {
  readonly metric: Readonly<Record<string, string>>
  readonly value: number
}

export interface Prometheus {
  /** What a query answers at a time, in seconds. */
  at(query: string, time?: number): Promise<Sample[]>
  /** A query over a time range: how many series it answers with. */
  over(query: string, start: number, end: number): Promise<number>
  /** The times of a series' samples, in seconds. */
  times(series: string): Promise<number[]>
  labelValues(label: string, series: string): Promise<string[]>
  stop(): Promise<void>
}

/** A Prometheus of its own that asks one gateway for its metrics, five times a second. */
export async function startPrometheus(gateway: string): Promise<Prometheus> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-prometheus-'))
  const file = join(folder, 'prometheus.yml')
  const target = new URL(gateway).host
  const scrape = { job_name: 'sluice', scrape_interval: '200ms', scrape_timeout: '200ms' }
  // JSON is YAML.
  writeFileSync(
    file,
    JSON.stringify({ scrape_configs: [{ ...scrape, static_configs: [{ targets: [target] }] }] }),
  )
  const child = spawn(
    'prometheus',
    [
      `--config.file=${file}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      '--web.listen-address=127.0.0.1:0',
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  )
  const url = `http://${await addressOf(child)}`
  const ask = async (path: string, parameters: Record<string, string>) => {
    const reply = await fetch(`${url}/api/v1/${path}?${new URLSearchParams(parameters)}`)
    const { data, error } = (await reply.json()) as { data: unknown; error?: string }
    if (!reply.ok) throw new Error(`${error}: ${JSON.stringify(parameters)}`)
    return data
  }
  return {
    at: async (query, time) => {
      const data = await ask('query', { query, ...(time !== undefined && { time: `${time}` }) })
      const { result } = data as { result: { metric: Sample['metric']; value: [number, string] }[] }
      return result.map(({ metric, value }) => ({ metric, value: Number(value[1]) }))
    },
    over: async (query, start, end) => {
      const range = { start: `${start}`, end: `${end}`, step: '1s' }
      return ((await ask('query_range', { query, ...range })) as { result: unknown[] }).result
        .length
    },
    times: async (series) => {
      const { result } = (await ask('query', { query: `${series}[1h]` })) as {
        result: { values: [number, string][] }[]
      }
      return result[0]?.values.map(([time]) => time) ?? []
    },
    labelValues: async (label, series) =>
      (await ask(`label/${label}/values`, { 'match[]': series })) as string[],
    stop: async () => {
      const exited = once(child, 'exit')
      child.kill('SIGTERM')
      await exited
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** Where it listens, as soon as it is ready: it says so itself. */
async function addressOf(child: ChildProcess): Promise<string> {
  const lines: string[] = []
  let address: string | undefined
  for await (const line of createInterface({ input: child.stderr as NodeJS.ReadableStream })) {
    lines.push(line)
    address ??= /msg="Listening on" address=(\S+)/.exec(line)?.[1]
    if (address && /ready to receive web requests/.test(line)) return address
  }
  throw new Error(`prometheus ended: ${lines.join('\n')}`)
}
