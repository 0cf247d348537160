import type { ClientIdentity } from './client.ts'
import type { Credential } from './credentials.ts'
import type { Format, RequestSummary } from './format.ts'
import type { Initiator } from './interception.ts'
import type { Kin } from './lineage.ts'
import { processId } from './process-id.ts'
import type { Provider } from './provider.ts'
import type { InterceptionStart, Purpose } from './records.ts'
import type { Try } from './retries.ts'
import { timestamp } from './timestamp.ts'

export interface StartFacts {
  readonly id: string
  readonly startedAt: Date
  readonly initiator: Initiator
  readonly provider: Provider
  readonly format: Format
  readonly client: ClientIdentity
  readonly summary: RequestSummary
  /** The interception that this one goes on from, as far as this process knows. */
  readonly parent: Kin | null
  readonly retried: Try | null
  readonly credential: Pick<Credential, 'kind' | 'hint'>
  readonly annotations: Readonly<Record<string, string>>
}

/** What is recorded of an interception before anything is sent upstream. */
export function startRecord(facts: StartFacts): InterceptionStart {
  const { id, startedAt, initiator, provider, format, client, summary, credential } = facts
  const { rootId, parentId } = threadOf(facts)
  return {
    initiatorId: initiator.id,
    initiatorUsername: initiator.username,
    initiatorName: initiator.name ?? null,
    apiKeyId: initiator.apiKeyId ?? null,
    provider: provider.type,
    providerName: provider.name,
    format: format.name,
    model: summary.model,
    client: client.client,
    clientSessionId: client.clientSessionId,
    sessionId: client.clientSessionId ?? facts.parent?.sessionId ?? rootId ?? id,
    threadRootId: rootId,
    threadParentId: parentId,
    correlatingToolCallId: summary.correlatingToolCallId,
    agentId: client.agentId,
    parentAgentId: client.parentAgentId,
    purpose: purposeOf(client, summary),
    retryOf: facts.retried?.id ?? null,
    streaming: summary.streaming,
    credentialKind: credential.kind,
    credentialHint: credential.hint,
    annotations: facts.annotations,
    metadata: Object.freeze({ request_user_agent: client.userAgent }),
    processId,
    startedAt: timestamp(startedAt.getTime()),
  }
}

/** What the text says counts before what the headers say: a sub-agent compacts, too. */
export function purposeOf(client: ClientIdentity, summary: RequestSummary): Purpose | null {
  return summary.purpose ?? client.purpose
}

/** A retry belongs to the thread of the first try; auxiliary requests have no thread. */
function threadOf({ parent, retried }: StartFacts): {
  rootId: string | null
  parentId: string | null
} {
  if (retried) return { rootId: retried.rootId ?? retried.id, parentId: retried.parentId }
  return { rootId: parent?.rootId ?? null, parentId: parent?.id ?? null }
}
