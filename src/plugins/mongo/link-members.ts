import { callKey, type LinkingStart, sessionKey, wantedKey } from '../../core/links.ts'
import type { RecordOf, ToolUsage } from '../../core/records.ts'
import type { InterceptionDocument } from './interception-document.ts'
import { shortKey } from './short-key.ts'

type LinkMembers = Required<Pick<InterceptionDocument, 'lineage' | 'wants' | 'sessionKey'>>

/** What a start says of its place and of those below it: members to set, and interceptions it depends on. */
export function startLinking(start: RecordOf<'interception_start'>): {
  readonly members: LinkMembers
  readonly above: readonly string[]
} {
  const { initiatorId, clientSessionId, agentId, correlatingToolCallId, startedAt } = start
  const { retryOf, threadParentId, threadRootId, sessionId } = start
  const answers = correlatingToolCallId === null ? null : shortKey(correlatingToolCallId)
  const own = { initiatorId, clientSessionId, agentId, correlatingToolCallId: answers, startedAt }
  const lineage: LinkingStart = { ...own, retryOf, threadParentId, threadRootId, sessionId }
  return {
    members: { lineage, wants: short(wantedKey(start)), sessionKey: short(sessionKey(start)) },
    above: [retryOf, threadParentId].filter((id) => id !== null),
  }
}

/** What a tool call adds to `offers`; one without an id says only that there was one. */
export function offerOf({ toolCallId }: ToolUsage): string {
  return short(callKey(toolCallId)) ?? 'call'
}

function short(key: string | null): string | null {
  return key === null ? null : shortKey(key)
}
