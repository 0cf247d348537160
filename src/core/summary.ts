import type { Outcome } from './events.ts'
import { isObject } from './json.ts'
import type { Measures } from './measures.ts'
import type { StoredInterception } from './recorder.ts'
import type { CredentialKind, Purpose, RecordOf } from './records.ts'

/**
 * What of one ended interception counts for its session, for sums and for filters: made from its stored
 * records, never incremented, so that a batch which comes twice or late counts once.
 */
export interface Summary {
  readonly id: string
  readonly initiatorId: string
  readonly initiatorUsername: string
  readonly initiatorName: string | null
  readonly sessionId: string
  /** Null: it is the root of a thread. */
  readonly threadRootId: string | null
  readonly purpose: Purpose | null
  readonly provider: string
  readonly providerName: string
  readonly model: string
  readonly client: string
  readonly credentialKind: CredentialKind
  readonly metadata: Readonly<Record<string, unknown>>
  readonly startedAt: string
  readonly endedAt: string
  readonly outcome: Outcome
  /** With `interceptions: 1`. */
  readonly measures: Measures
  /** Numbers in the metadata of its token usages, summed by name; nested names are joined by dots. */
  readonly tokenMetadata: Readonly<Record<string, number>>
  /** How often each tool was called. */
  readonly tools: Readonly<Record<string, number>>
  /** The newest prompt of a person. */
  readonly lastPrompt: { readonly id: string; readonly at: string; readonly text: string } | null
}

/** Null while it runs: what has not ended counts nowhere. */
export function summaryOf(stored: StoredInterception): Summary | null {
  const { id, start, end, tokenUsages, toolUsages } = stored
  if (!end) return null
  const prompts = isThread(start) ? stored.userPrompts : []
  const sum = (pick: (usage: RecordOf<'token_usage'>) => number) =>
    tokenUsages.reduce((total, usage) => total + pick(usage), 0)
  const last = prompts.toSorted(byTime).at(-1)
  return {
    id,
    initiatorId: start.initiatorId,
    initiatorUsername: start.initiatorUsername,
    initiatorName: start.initiatorName,
    sessionId: start.sessionId,
    threadRootId: start.threadRootId,
    purpose: start.purpose,
    provider: start.provider,
    providerName: start.providerName,
    model: start.model,
    client: start.client,
    credentialKind: start.credentialKind,
    metadata: start.metadata,
    startedAt: start.startedAt,
    endedAt: end.endedAt,
    outcome: end.outcome,
    measures: {
      interceptions: 1,
      prompts: prompts.length,
      toolCalls: toolUsages.length,
      inputTokens: sum((usage) => usage.inputTokens),
      outputTokens: sum((usage) => usage.outputTokens),
      cacheReadInputTokens: sum((usage) => usage.cacheReadInputTokens),
      cacheWriteInputTokens: sum((usage) => usage.cacheWriteInputTokens),
      costNanoUsd: sum((usage) => usage.costNanoUsd ?? 0),
      unpriced: sum((usage) => Number(usage.costNanoUsd === null)),
    },
    tokenMetadata: sumNumbers(tokenUsages.map(({ metadata }) => metadata)),
    tools: countBy(toolUsages.map(({ tool }) => tool)),
    lastPrompt: last ? { id: last.id, at: last.createdAt, text: last.prompt } : null,
  }
}

/** Whether it begins a thread that a person asked for. */
export function isThread({
  threadRootId,
  purpose,
}: Pick<Summary, 'threadRootId' | 'purpose'>): boolean {
  return threadRootId === null && purpose === null
}

/** Numeric leaves summed by name, nested ones under their path with dots; all else is left out. */
export function sumNumbers(objects: readonly object[]): Record<string, number> {
  const sums = new Map<string, number>()
  const add = (object: object, path: string) => {
    for (const [name, value] of Object.entries(object)) {
      if (typeof value === 'number') sums.set(path + name, (sums.get(path + name) ?? 0) + value)
      else if (isObject(value)) add(value, `${path}${name}.`)
    }
  }
  for (const object of objects) add(object, '')
  return Object.fromEntries(sums)
}

function countBy(names: readonly string[]): Record<string, number> {
  // A tool may be called `constructor`.
  const counts = new Map<string, number>()
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1)
  return Object.fromEntries(counts)
}

function byTime(a: RecordOf<'prompt_usage'>, b: RecordOf<'prompt_usage'>): number {
  return Date.parse(a.createdAt) - Date.parse(b.createdAt) || (a.id < b.id ? -1 : 1)
}
