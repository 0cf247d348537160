import { callKey, type LinkingStart, sessionKey, wantedKey } from '../../core/links.ts'
import type { InterceptionStart, ToolUsage } from '../../core/records.ts'
import type { InterceptionDocument } from './interception-document.ts'
import { shortKey } from './short-key.ts'

/** What a start says of its place and of those below it. */
export function linkMembers(
  start: InterceptionStart,
): Required<Pick<InterceptionDocument, 'lineage' | 'wants' | 'sessionKey'>> {
  const { initiatorId, clientSessionId, agentId, correlatingToolCallId, startedAt } = start
  const { retryOf, threadParentId, threadRootId, sessionId } = start
  const answers = correlatingToolCallId === null ? null : shortKey(correlatingToolCallId)
  const own = { initiatorId, clientSessionId, agentId, correlatingToolCallId: answers, startedAt }
  const lineage: LinkingStart = { ...own, retryOf, threadParentId, threadRootId, sessionId }
  return { lineage, wants: short(wantedKey(start)), sessionKey: short(sessionKey(start)) }
}

/** The interceptions that a start depends on. */
export function aboveOf({ retryOf, threadParentId }: InterceptionStart): string[] {
  return [retryOf, threadParentId].filter((id) => id !== null)
}

/** What a tool call adds to `offers`; one without an id says only that there was one. */
export function offerOf({ toolCallId }: ToolUsage): string {
  return short(callKey(toolCallId)) ?? 'call'
}

function short(key: string | null): string | null {
  return key === null ? null : shortKey(key)
}
