import type { ErrorType, Outcome } from './events.ts'
import { LongWork } from './long-work.ts'
import { addMeasures, type Measures, noMeasures } from './measures.ts'
import type { StoredInterception } from './recorder.ts'
import type { CredentialKind, Purpose, RecordOf } from './records.ts'
import { type Summary, summaryOf, sumNumbers } from './summary.ts'

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

/** The thread of a root and of the others whose root it is, made a little at a time; null while the root runs. */
export async function threadOf(
  root: StoredInterception,
  others: readonly StoredInterception[],
): Promise<Thread | null> {
  const { start, end } = root
  if (!end) return null
  const work = new LongWork()
  const summaries: Summary[] = []
  const actions: AgenticAction[] = []
  let measures = noMeasures
  for (const member of inOrder([root, ...others])) {
    const summary = summaryOf(member)
    if (!summary) continue
    summaries.push(summary)
    measures = addMeasures(measures, summary.measures)
    if (member.toolUsages.length > 0) actions.push(actionOf(member, summary))
    if (work.isLong) await work.pause()
  }
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
    measures,
    tokenMetadata: sumNumbers(summaries.map(({ tokenMetadata }) => tokenMetadata)),
    actions,
  }
}

function actionOf(
  { id, modelThoughts, toolUsages }: StoredInterception,
  { model, measures, tokenMetadata }: Summary,
): AgenticAction {
  return {
    interceptionId: id,
    model,
    measures,
    tokenMetadata,
    thinking: modelThoughts.map(({ content }) => content),
    toolCalls: toolUsages,
  }
}

/** By their start; each time is read once. */
function inOrder(members: readonly StoredInterception[]): StoredInterception[] {
  return members
    .map((member) => ({ member, at: Date.parse(member.start.startedAt) }))
    .sort((a, b) => a.at - b.at || (a.member.id < b.member.id ? -1 : 1))
    .map(({ member }) => member)
}

function later(a: string, b: string): string {
  return Date.parse(a) < Date.parse(b) ? b : a
}
