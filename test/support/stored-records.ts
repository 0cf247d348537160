import { endId, interceptionId, recordId, startId } from '../../src/core/ids.ts'
import type {
  InterceptionEnd,
  InterceptionRecord,
  InterceptionStart,
  RecordOf,
  RecordStamp,
  TokenUsage,
} from '../../src/core/records.ts'

const epoch = Date.parse('2026-01-15T10:30:00.000Z')

export function at(ms: number): string {
  return new Date(epoch + ms).toISOString()
}

export function stamp(id: string, plugin: string, key: string, seq: number): RecordStamp {
  return { id: recordId(id, plugin, key), interceptionId: id, seq, createdAt: at(seq) }
}

/** A start record; `ms` after the suite's epoch. */
export function start(
  id: string,
  body: Partial<InterceptionStart> = {},
  ms = 0,
): RecordOf<'interception_start'> {
  return {
    ...stamp(id, 'core', 'start', 0),
    id: startId(id),
    type: 'interception_start',
    initiatorId: 'u-0',
    initiatorUsername: 'nobody',
    initiatorName: null,
    apiKeyId: null,
    provider: 'anthropic',
    providerName: 'anthropic',
    format: 'anthropic_messages',
    model: 'claude-sonnet-4-5',
    client: 'Claude Code',
    clientSessionId: null,
    sessionId: id,
    threadRootId: null,
    threadParentId: null,
    correlatingToolCallId: null,
    agentId: null,
    parentAgentId: null,
    purpose: null,
    retryOf: null,
    streaming: true,
    credentialKind: 'byok',
    credentialHint: 'sk-a***efgh',
    annotations: { repo: 'sluice' },
    metadata: { nested: { list: [1, 'two', null] } },
    processId: 'a-process',
    startedAt: at(ms),
    ...body,
  }
}

/** The owner's end. */
export function end(
  id: string,
  body: Partial<InterceptionEnd> = {},
  seq = 99,
): RecordOf<'interception_end'> {
  return {
    ...stamp(id, 'core', 'end', seq),
    id: endId(id),
    type: 'interception_end',
    outcome: 'completed',
    errorType: null,
    errorMessage: null,
    httpStatus: 200,
    finishReason: 'end_turn',
    durationMs: 1234,
    timeToFirstTokenMs: 120.5,
    upstreamMs: 1200,
    requestBytes: 4096,
    responseBytes: 123_456,
    observed: 'full',
    drained: false,
    endedAt: at(1234),
    ...body,
  }
}

export function usage(
  id: string,
  { key = '0', seq, outputTokens }: { key?: string; seq: number; outputTokens: number },
): RecordOf<'token_usage'> {
  return {
    ...stamp(id, 'token-counter', key, seq),
    type: 'token_usage',
    msgId: 'msg_1',
    inputTokens: 100,
    outputTokens,
    cacheReadInputTokens: 1000,
    cacheWriteInputTokens: 0,
    costNanoUsd: 1_050_000,
    priceSource: 'configuration',
    priceVersion: '0123456789ab',
    metadata: { service_tier: 'standard', reasoning_output_tokens: 3 },
  }
}

export function prompt(id: string, text: string): RecordOf<'prompt_usage'> {
  return {
    ...stamp(id, 'prompt-capturer', 'prompt', 1),
    type: 'prompt_usage',
    msgId: 'msg_1',
    prompt: text,
    rawPrompt: text.slice(0, 100),
    metadata: {},
  }
}

export function tool(id: string, seq: number, name: string): RecordOf<'tool_usage'> {
  return {
    ...stamp(id, 'tool-call-extractor', String(seq), seq),
    type: 'tool_usage',
    msgId: 'msg_1',
    toolCallId: `toolu_${seq}`,
    itemId: null,
    tool: name,
    input: '{"command":"ls -la"}',
    serverUrl: null,
    injected: false,
    invocationError: null,
    durationMs: null,
    metadata: {},
  }
}

/** One record of every type, in order of `seq`. */
export function wholeInterception(body: Partial<InterceptionStart> = {}): InterceptionRecord[] {
  const id = interceptionId()
  return [
    start(id, body),
    prompt(id, 'List the files, please.'),
    {
      ...stamp(id, 'tool-call-extractor', 'result', 2),
      type: 'tool_result',
      toolCallId: 'toolu_0',
      isError: true,
      bytes: 12,
      content: null,
    },
    {
      ...stamp(id, 'reasoning-capturer', '0', 3),
      type: 'model_thought',
      msgId: 'msg_1',
      index: 0,
      redacted: false,
      content: 'The user wants a list.',
      metadata: { source: 'thinking' },
    },
    tool(id, 4, 'Bash'),
    tool(id, 5, 'Read'),
    usage(id, { seq: 6, outputTokens: 50 }),
    end(id, {}, 7),
  ]
}

/** An interception in short: what the suites of stores vary. */
export interface Plan {
  readonly id?: string
  /** When it began, after the suite's epoch. @default 0 */
  readonly ms?: number
  readonly start?: Partial<InterceptionStart>
  /** Null: it still runs. */
  readonly end?: Partial<InterceptionEnd> | null
  readonly prompt?: string | null
  /** Names, or a name and an input. */
  readonly tools?: readonly (string | { readonly tool: string; readonly input: string })[]
  readonly thoughts?: readonly string[]
  readonly usages?: readonly Partial<TokenUsage>[]
}

/** The records of an interception: its id is as old as its start, each record a millisecond after the one before. */
export function told({
  ms = 0,
  id = idAt(ms),
  start: begun = {},
  end: ended = {},
  prompt: text = null,
  tools = [],
  thoughts = [],
  usages = [],
}: Plan): [RecordOf<'interception_start'>, ...InterceptionRecord[]] {
  const bodies: ((seq: number) => InterceptionRecord)[] = [
    ...(text === null ? [] : [(seq: number) => ({ ...prompt(id, text), seq })]),
    ...thoughts.map((content, index) => (seq: number) => thought(id, seq, content, index)),
    ...tools.map((each) => (seq: number) => ({
      ...tool(id, seq, typeof each === 'string' ? each : each.tool),
      toolCallId: `${id}-${seq}`,
      ...(typeof each === 'object' && { input: each.input }),
    })),
    ...usages.map((each, index) => (seq: number) => ({
      ...usage(id, { key: String(index), seq, outputTokens: 10 }),
      ...each,
    })),
  ]
  const records = bodies.map((body, at) => body(at + 1))
  const last = ended && end(id, { endedAt: at(ms + 1000), ...ended }, records.length + 1)
  return [
    start(id, begun, ms),
    ...[...records, ...(last ? [last] : [])].map((record) => ({
      ...record,
      createdAt: at(ms + record.seq),
    })),
  ]
}

let drawn = 0

/** The id of an interception that began then; of one time the one that is drawn later is greater. */
export function idAt(ms: number): string {
  drawn++
  const time = (epoch + ms).toString(16).padStart(12, '0')
  const count = drawn.toString(16).padStart(15, '0')
  return `${time.slice(0, 8)}-${time.slice(8)}-7${count.slice(0, 3)}-8${count.slice(3, 6)}-000${count.slice(6)}`
}

function thought(
  id: string,
  seq: number,
  content: string,
  index: number,
): RecordOf<'model_thought'> {
  return {
    ...stamp(id, 'reasoning-capturer', String(index), seq),
    type: 'model_thought',
    msgId: 'msg_1',
    index,
    redacted: false,
    content,
    metadata: { source: 'thinking' },
  }
}
