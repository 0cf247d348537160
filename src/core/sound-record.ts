import { isObject } from './json.ts'
import type { InterceptionRecord, RecordType } from './records.ts'

/** Whether what a store gives back has what others rely on in a record of its type: a disk may have damaged it. */
export function isSound(record: unknown): record is InterceptionRecord {
  return (
    isObject(record) &&
    typeof record.id === 'string' &&
    typeof record.interceptionId === 'string' &&
    typeof record.createdAt === 'string' &&
    typeof record.seq === 'number' &&
    typeof record.type === 'string' &&
    isSoundBody(record.type, record)
  )
}

/** The same of a record without its stamp. */
export function isSoundBody(type: string, body: unknown): body is Record<string, unknown> {
  if (!isObject(body)) return false
  for (const [name, isRight] of checks.get(type) ?? []) if (!isRight(body[name])) return false
  return true
}

type Check = (value: unknown) => boolean

const text: Check = (value) => typeof value === 'string'
const textOrNull: Check = (value) => value === null || typeof value === 'string'
const number: Check = (value) => typeof value === 'number'
const time: Check = (value) => typeof value === 'string' && !Number.isNaN(Date.parse(value))

/** No more than what is read of them: a store's own check, not the format's. */
const needed: Partial<Record<RecordType, Readonly<Record<string, Check>>>> = {
  interception_start: {
    initiatorId: text,
    initiatorUsername: text,
    provider: text,
    providerName: text,
    model: text,
    client: text,
    clientSessionId: textOrNull,
    sessionId: text,
    threadRootId: textOrNull,
    threadParentId: textOrNull,
    correlatingToolCallId: textOrNull,
    agentId: textOrNull,
    retryOf: textOrNull,
    annotations: isObject,
    processId: text,
    startedAt: time,
  },
  interception_end: { outcome: text, endedAt: time },
  token_usage: {
    inputTokens: number,
    outputTokens: number,
    cacheReadInputTokens: number,
    cacheWriteInputTokens: number,
    metadata: isObject,
  },
  prompt_usage: { prompt: text },
  tool_usage: { tool: text, toolCallId: text },
  model_thought: { content: text },
}

const checks: ReadonlyMap<string, readonly (readonly [name: string, isRight: Check])[]> = new Map(
  Object.entries(needed).map(([type, members]) => [type, Object.entries(members)]),
)
