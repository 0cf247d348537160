import type { ErrorType, Outcome } from './events.ts'
import { addMeasures, type Measures, noMeasures } from './measures.ts'
import type { StoredInterception } from './recorder.ts'
import type { CredentialKind, Purpose, RecordOf } from './records.ts'
import { summaryOf, sumNumbers } from './summary.ts'

/** A prompt and all that the agent did for it: a root interception and those below it. */
export interface Thread {
  /** The root's. */
  readonly id: string
  readonly prompt: string | null
  readonly purpose: Purpose | null
  readonly model: string
  readonly provider: string
  readonly providerName: string
  readonly credentialKind: CredentialKind
  readonly credentialHint: string
  readonly outcome: Outcome
  readonly errorType: ErrorType | null
  readonly errorMessage: string | null
  /** First and last of its interceptions. */
  readonly startedAt: string
  readonly endedAt: string
  readonly measures: Measures
  readonly tokenMetadata: Readonly<Record<string, number>>
  /** One for each interception that called a tool, in order. */
  readonly actions: readonly AgenticAction[]
}

/** One step of an agent: the tools that an interception called, and what the model thought before. */
export interface AgenticAction {
  readonly interceptionId: string
  readonly model: string
  readonly measures: Measures
  readonly tokenMetadata: Readonly<Record<string, number>>
  readonly thinking: readonly string[]
  readonly toolCalls: readonly RecordOf<'tool_usage'>[]
}

/** The thread of a root and of the others whose root it is; null while the root runs. */
export function threadOf(
  root: StoredInterception,
  others: readonly StoredInterception[],
): Thread | null {
  const { start, end } = root
  if (!end) return null
  const members = [root, ...others].toSorted(byStart)
  const summaries = members.map(summaryOf).filter((summary) => summary !== null)
  const [first = start] = summaries
  return {
    id: root.id,
    prompt: root.userPrompts[0]?.prompt ?? null,
    purpose: start.purpose,
    model: start.model,
    provider: start.provider,
    providerName: start.providerName,
    credentialKind: start.credentialKind,
    credentialHint: start.credentialHint,
    outcome: end.outcome,
    errorType: end.errorType,
    errorMessage: end.errorMessage,
    startedAt: first.startedAt,
    endedAt: summaries.map(({ endedAt }) => endedAt).reduce(later),
    measures: summaries.map(({ measures }) => measures).reduce(addMeasures, noMeasures),
    tokenMetadata: sumNumbers(summaries.map(({ tokenMetadata }) => tokenMetadata)),
    actions: members.map(actionOf).filter((action) => action !== null),
  }
}

function actionOf(stored: StoredInterception): AgenticAction | null {
  const summary = summaryOf(stored)
  if (!summary || stored.toolUsages.length === 0) return null
  return {
    interceptionId: stored.id,
    model: summary.model,
    measures: summary.measures,
    tokenMetadata: summary.tokenMetadata,
    thinking: stored.modelThoughts.map(({ content }) => content),
    toolCalls: stored.toolUsages,
  }
}

function byStart(a: StoredInterception, b: StoredInterception): number {
  const age = Date.parse(a.start.startedAt) - Date.parse(b.start.startedAt)
  return age || (a.id < b.id ? -1 : 1)
}

function later(a: string, b: string): string {
  return Date.parse(a) < Date.parse(b) ? b : a
}
