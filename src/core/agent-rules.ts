import type { SessionSource } from './client-rules.ts'
import type { Purpose } from './records.ts'

/** Where a request of a sub-agent names it and the one that started it. */
export interface AgentRule {
  /** Tested like `ClientCondition.header`. */
  readonly header: RegExp
  readonly agent: readonly SessionSource[]
  readonly parent: readonly SessionSource[]
}

export const agentRules: readonly AgentRule[] = [
  {
    header: /^x-claude-code-agent-id: ./m,
    agent: [{ header: 'x-claude-code-agent-id' }],
    parent: [{ header: 'x-claude-code-parent-agent-id' }],
  },
  {
    // Codex compacts and tidies its memory in the session's own thread: no agent.
    header: /^x-openai-subagent: (?!(compact|memory_consolidation)$)./m,
    agent: [{ header: 'thread-id' }, { body: 'client_metadata.thread_id' }],
    parent: [
      { header: 'x-codex-parent-thread-id' },
      { body: 'client_metadata.x-codex-parent-thread-id' },
    ],
  },
]

/** What headers say of a request that is not the user's own; the first that matches wins. */
export const purposeRules: readonly { readonly header: RegExp; readonly purpose: Purpose }[] = [
  { header: /^x-openai-subagent: compact$/m, purpose: 'compaction' },
  { header: /^x-openai-subagent: memory_consolidation$/m, purpose: 'other' },
  { header: /^x-openai-subagent: ./m, purpose: 'subagent' },
  { header: /^x-claude-code-agent-id: ./m, purpose: 'subagent' },
  { header: /^x-interaction-type: conversation-subagent$/m, purpose: 'subagent' },
  { header: /^x-session-id: title-./m, purpose: 'title' },
]
