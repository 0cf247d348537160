import type { Log } from '../core/diagnostics.ts'
import { snakeKeys } from '../core/json.ts'
import type { Plugin } from '../core/plugin.ts'
import type { InterceptionRecord, RecordOf } from '../core/records.ts'

export interface ServeLogOptions {
  readonly log: Log
  /** Text for people, or fields for programs. @default 'text' */
  readonly format?: 'text' | 'json'
}

/** One line per interception when it ends: who, with what, of whom, how much, and how it went. */
export function serveLog({ log, format = 'text' }: ServeLogOptions): Plugin {
  const open = new Map<string, InterceptionRecord[]>()
  let write = log
  return {
    name: 'serve-log',
    open: async (context) => {
      // The gateway tells its spans of what it logs itself.
      write = context?.diagnostics.logEach ?? log
    },
    record(records) {
      for (const record of records) {
        if (record.late) continue
        const seen = open.get(record.interceptionId) ?? []
        seen.push(record)
        if (record.type !== 'interception_end') {
          open.set(record.interceptionId, seen)
          continue
        }
        open.delete(record.interceptionId)
        const line = summarize(seen, record)
        if (format === 'json') write('info', 'interception', snakeKeys(line))
        else write('info', readable(line), unseen(line))
      }
      forgetOldest(open)
    },
  }
}

/** What the line is about, for spans: it is not written. */
function unseen({ interceptionId }: Line): Readonly<Record<string, unknown>> {
  return Object.defineProperty({}, 'interception_id', { value: interceptionId })
}

interface Line {
  readonly interceptionId: string
  readonly initiator: string
  readonly client: string
  readonly provider: string
  readonly model: string
  readonly inputTokens: number | null
  readonly outputTokens: number | null
  readonly cacheReadInputTokens: number | null
  readonly cacheWriteInputTokens: number | null
  readonly tools: readonly string[]
  readonly outcome: string
  readonly errorType: string | null
  readonly httpStatus: number | null
  readonly durationMs: number
}

function summarize(
  records: readonly InterceptionRecord[],
  end: RecordOf<'interception_end'>,
): Line {
  const start = records.find((record) => record.type === 'interception_start')
  const usages = records.filter((record) => record.type === 'token_usage')
  const sum = (pick: (usage: RecordOf<'token_usage'>) => number) =>
    usages.length === 0 ? null : usages.reduce((total, usage) => total + pick(usage), 0)
  return {
    interceptionId: end.interceptionId,
    initiator: start?.initiatorUsername ?? '?',
    client: start?.client ?? '?',
    provider: start?.providerName ?? '?',
    model: start?.model ?? '?',
    inputTokens: sum((usage) => usage.inputTokens),
    outputTokens: sum((usage) => usage.outputTokens),
    cacheReadInputTokens: sum((usage) => usage.cacheReadInputTokens),
    cacheWriteInputTokens: sum((usage) => usage.cacheWriteInputTokens),
    tools: records.filter((record) => record.type === 'tool_usage').map(({ tool }) => tool),
    outcome: end.outcome,
    errorType: end.errorType,
    httpStatus: end.httpStatus,
    durationMs: end.durationMs,
  }
}

/** `alice  Claude Code  anthropic/claude-x  1,200 in (+900 cached), 85 out  tools: Bash ×2  completed in 2.3 s` */
export function readable(line: Line): string {
  const { initiator, client, provider, model, outcome, errorType, httpStatus, durationMs } = line
  const why = errorType === null ? '' : ` (${[httpStatus, errorType].filter(Boolean).join(' ')})`
  return [
    initiator,
    client,
    model === '' ? provider : `${provider}/${model}`,
    tokens(line),
    tools(line.tools),
    `${outcome}${why} in ${(durationMs / 1000).toFixed(durationMs < 10_000 ? 2 : 0)} s`,
  ]
    .filter((part) => part !== '')
    .join('  ')
}

function tokens(line: Line): string {
  if (line.inputTokens === null || line.outputTokens === null) return ''
  const cached = (line.cacheReadInputTokens ?? 0) + (line.cacheWriteInputTokens ?? 0)
  const aside = cached === 0 ? '' : ` (+${figure(cached)} cached)`
  return `${figure(line.inputTokens)} in${aside}, ${figure(line.outputTokens)} out`
}

function tools(names: readonly string[]): string {
  const counts = Map.groupBy(names, (name) => name)
  const parts = [...counts].map(([name, { length }]) => (length > 1 ? `${name} ×${length}` : name))
  return parts.length === 0 ? '' : `tools: ${parts.join(', ')}`
}

function figure(value: number): string {
  return figures.format(value)
}

/** `toLocaleString` looks for one each time. */
const figures = new Intl.NumberFormat('en-US')

/** The end of an interception may be lost from a full queue; what waits for it must not pile up. */
function forgetOldest(open: Map<string, unknown>): void {
  for (const id of open.keys()) {
    if (open.size <= 50_000) return
    open.delete(id)
  }
}
