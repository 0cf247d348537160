import type { Prompt } from '../events.ts'
import type { Purpose } from '../records.ts'
import { isWrapping, promptOf } from './prompt.ts'

export interface Turn {
  /** The text blocks of the last user message. */
  readonly texts: readonly string[]
  /** Whether the prompt is the last of them or all, joined. */
  readonly take: 'last' | 'all'
  /** The text blocks of the user messages right before it: some clients put an instruction there. */
  readonly before: readonly string[]
  /** How the system prompt begins: its first text. */
  readonly system: string | undefined
  readonly hasTools: boolean
  readonly maxTokens: unknown
}

/** What the client itself asked, if it did, and else what the user asked. */
export function readTurn(turn: Turn): { prompt: Prompt | null; purpose: Purpose | null } {
  const prompt = promptOf(turn.texts, turn.take)
  const purpose = purposeOf(turn, prompt)
  return { prompt: purpose === null ? prompt : null, purpose }
}

function purposeOf(
  { texts, before, system, hasTools, maxTokens }: Turn,
  prompt: Prompt | null,
): Purpose | null {
  if (prompt === null) return texts.some(isNotification) ? 'notification' : null
  for (const text of [prompt.text, ...texts.filter((text) => !isWrapping(text))]) {
    if (isNotification(text)) return 'notification'
    const opening = text.trimStart()
    const found = purposes.find(({ begins }) => opening.startsWith(begins))
    if (found) return found.purpose
  }
  if (maxTokens === 1 && probes.has(prompt.text.trim().toLowerCase())) return 'probe'
  // Claude Code sends this one word to get its sub-agents' prompts cached.
  if (prompt.text === 'Warmup') return 'warmup'
  // A title request may carry the user's words alone in its last message; it never has tools.
  if (hasTools) return null
  const instructions = system === undefined ? before : [...before, system]
  return instructions.some((text) => titles.some((begins) => text.trimStart().startsWith(begins)))
    ? 'title'
    : null
}

/** Claude Code tells of finished background work in a user turn. */
function isNotification(text: string): boolean {
  return /^\s*(<system-reminder>\s*)?(\[SYSTEM NOTIFICATION|<task-notification>)/.test(text)
}

/** How instructions to name a conversation begin, as recorded or published by the clients named. */
const titles: readonly string[] = [
  // opencode, Kilo
  'Generate a title for this conversation:',
  'You are a title generator',
  // Claude Code, now and before
  '<session>',
  'Please write a 5-10 word title for the following conversation',
  'Analyze if this message indicates a new conversation topic',
  // Zed
  'Generate a concise 3-7 word title for this conversation',
  // GitHub Copilot (VS Code)
  'Please write a brief title for the following request',
]

const purposes: readonly { begins: string; purpose: Purpose }[] = [
  ...titles.map((begins) => ({ begins, purpose: 'title' as const })),
  // Claude Code, now and before
  { begins: 'CRITICAL: Respond with TEXT ONLY', purpose: 'compaction' },
  {
    begins: 'Your task is to create a detailed summary of the conversation so far',
    purpose: 'compaction',
  },
  { begins: '[structured-output-enforce]', purpose: 'enforcement' },
  // Codex
  { begins: 'You are performing a CONTEXT CHECKPOINT COMPACTION', purpose: 'compaction' },
  // opencode
  {
    begins: 'Provide a detailed prompt for continuing our conversation above',
    purpose: 'compaction',
  },
  // Qwen Code asks itself who speaks next.
  {
    begins: 'Analyze *only* the content and structure of your immediately preceding response',
    purpose: 'other',
  },
]

/** Claude Code asks for one token of an answer to these to learn of its quota or key. */
const probes: ReadonlySet<string> = new Set(['quota', 'test', 'ping', 'hi', 'foo', 'count'])
