import { addMeasures, type Measures, noMeasures } from './measures.ts'
import { isThread, type Summary, sumNumbers } from './summary.ts'

/** A client's conversation: all interceptions of one initiator with one session id. */
export interface Session {
  readonly id: string
  readonly initiatorId: string
  readonly initiatorUsername: string
  readonly initiatorName: string | null
  readonly providers: readonly string[]
  readonly providerNames: readonly string[]
  readonly models: readonly string[]
  /** Of the first interception, like the metadata. */
  readonly client: string
  readonly metadata: Readonly<Record<string, unknown>>
  readonly startedAt: string
  readonly endedAt: string
  /** The time of the newest prompt, else of the start. */
  readonly lastActiveAt: string
  readonly lastPrompt: string | null
  /** Roots without a purpose: what people asked for. */
  readonly threads: number
  readonly measures: Measures
  readonly tokenMetadata: Readonly<Record<string, number>>
}

/** The session of these interceptions, which are all that it has; null of none. */
export function sessionOf(summaries: readonly Summary[]): Session | null {
  const [first] = summaries.toSorted(byStart)
  if (!first) return null
  const prompts = summaries.map(({ lastPrompt }) => lastPrompt).filter((each) => each !== null)
  const newest = prompts.toSorted(byPrompt).at(-1)
  return {
    id: first.sessionId,
    initiatorId: first.initiatorId,
    initiatorUsername: first.initiatorUsername,
    initiatorName: first.initiatorName,
    providers: distinct(summaries.map(({ provider }) => provider)),
    providerNames: distinct(summaries.map(({ providerName }) => providerName)),
    models: distinct(summaries.map(({ model }) => model)),
    client: first.client,
    metadata: first.metadata,
    startedAt: first.startedAt,
    endedAt: summaries.map(({ endedAt }) => endedAt).reduce(later),
    lastActiveAt: newest?.at ?? first.startedAt,
    lastPrompt: newest?.text ?? null,
    threads: summaries.filter(isThread).length,
    measures: summaries.map(({ measures }) => measures).reduce(addMeasures, noMeasures),
    tokenMetadata: sumNumbers(summaries.map(({ tokenMetadata }) => tokenMetadata)),
  }
}

function byStart(a: Summary, b: Summary): number {
  return Date.parse(a.startedAt) - Date.parse(b.startedAt) || (a.id < b.id ? -1 : 1)
}

type Prompt = NonNullable<Summary['lastPrompt']>

function byPrompt(a: Prompt, b: Prompt): number {
  return Date.parse(a.at) - Date.parse(b.at) || (a.id < b.id ? -1 : 1)
}

function later(a: string, b: string): string {
  return Date.parse(a) < Date.parse(b) ? b : a
}

function distinct(values: readonly string[]): string[] {
  return [...new Set(values)].sort()
}
