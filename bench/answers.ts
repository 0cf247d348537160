import type { FormatName } from '../src/core/records.ts'

/** What a request asks the upstream for; it travels in the request's `model`, which gateways leave alone. */
export interface AnswerSpec {
  readonly format: FormatName
  readonly stream: boolean
  /** Events of a stream, all told. */
  readonly events: number
  /** Milliseconds between two events; 0 puts the whole answer into one write. */
  readonly delay: number
}

/** An answer, the same to the byte on both sides of a gateway. */
export interface Answer {
  /** Of a stream one buffer per event, of a blocking answer one. */
  readonly parts: readonly Buffer[]
  readonly body: Buffer
}

export function modelOf({ events, delay }: AnswerSpec): string {
  return `bench-${events}-${delay}`
}

export function specOf(model: string): Pick<AnswerSpec, 'events' | 'delay'> {
  const [, events, delay] = /^bench-(\d+)-(\d+)$/.exec(model) ?? []
  if (events === undefined) throw new Error(`not a model of this bench: ${model}`)
  return { events: Number(events), delay: Number(delay) }
}

const answers = new Map<string, Answer>()

/** The answer to a request; made once and kept. */
export function answerTo(spec: AnswerSpec): Answer {
  const key = `${spec.format} ${spec.stream} ${modelOf(spec)}`
  const known = answers.get(key)
  if (known) return known
  const texts = spec.stream
    ? streams[spec.format](spec.events, modelOf(spec))
    : [JSON.stringify(blocking[spec.format](words(0, 190), modelOf(spec)))]
  const parts = texts.map((text) => Buffer.from(text))
  const answer = { parts, body: Buffer.concat(parts) }
  answers.set(key, answer)
  return answer
}

const vocabulary =
  'the gateway lets each event pass as it comes — naïve, “quoted”, 日本語 — and keeps a note of what it was'.split(
    ' ',
  )

function word(index: number): string {
  return `${index > 0 ? ' ' : ''}${vocabulary[index % vocabulary.length]}`
}

function words(from: number, to: number): string {
  return Array.from({ length: Math.max(0, to - from) }, (_, index) => word(from + index)).join('')
}

type Members = Readonly<Record<string, unknown>>

const typed = (type: string, members: Members) =>
  `event: ${type}\ndata: ${JSON.stringify({ type, ...members })}\n\n`
const untyped = (members: Members) => `data: ${JSON.stringify(members)}\n\n`

const claudeUsage = {
  input_tokens: 1418,
  cache_creation_input_tokens: 0,
  cache_read_input_tokens: 1024,
}
const claudeMessage = { id: 'msg_01Bench', type: 'message', role: 'assistant' }
const chatUsage = { prompt_tokens: 1418, prompt_tokens_details: { cached_tokens: 1024 } }
const chatBase = { id: 'chatcmpl-bench', created: 1_754_000_000, system_fingerprint: 'fp_bench' }
const responseBase = { id: 'resp_bench', object: 'response', created_at: 1_754_000_000, tools: [] }

const streams: Readonly<Record<FormatName, (events: number, model: string) => string[]>> = {
  // Nine tenths of the deltas are text, the rest the arguments of one tool call.
  anthropic_messages(events, model) {
    const deltas = events - 8
    const text = Math.ceil(deltas * 0.9)
    const block = (index: number, delta: Members) => typed('content_block_delta', { index, delta })
    return [
      typed('message_start', {
        message: {
          ...claudeMessage,
          model,
          content: [],
          usage: { ...claudeUsage, output_tokens: 1 },
        },
      }),
      typed('content_block_start', { index: 0, content_block: { type: 'text', text: '' } }),
      typed('ping', {}),
      ...times(text, (i) => block(0, { type: 'text_delta', text: word(i) })),
      typed('content_block_stop', { index: 0 }),
      typed('content_block_start', {
        index: 1,
        content_block: { type: 'tool_use', id: 'toolu_01Bench', name: 'read_file', input: {} },
      }),
      ...times(deltas - text, (i) =>
        block(1, { type: 'input_json_delta', partial_json: pieceOfInput(i, deltas - text) }),
      ),
      typed('content_block_stop', { index: 1 }),
      typed('message_delta', {
        delta: { stop_reason: 'tool_use', stop_sequence: null },
        usage: { ...claudeUsage, output_tokens: deltas },
      }),
      typed('message_stop', {}),
    ]
  },
  openai_chat(events, model) {
    const deltas = events - 4
    const text = Math.ceil(deltas * 0.9)
    const base = { ...chatBase, object: 'chat.completion.chunk', model, service_tier: 'default' }
    const chunk = (delta: Members, finish_reason: string | null = null) =>
      untyped({
        ...base,
        choices: [{ index: 0, delta, logprobs: null, finish_reason }],
        usage: null,
      })
    const call = (i: number) => ({
      index: 0,
      ...(i === 0 ? { id: 'call_bench', type: 'function' } : {}),
      function: {
        ...(i === 0 ? { name: 'read_file' } : {}),
        arguments: pieceOfInput(i, deltas - text),
      },
    })
    const usage = { ...chatUsage, completion_tokens: deltas, total_tokens: 1418 + deltas }
    return [
      chunk({ role: 'assistant', content: '', refusal: null }),
      ...times(text, (i) => chunk({ content: word(i) })),
      ...times(deltas - text, (i) => chunk({ tool_calls: [call(i)] })),
      chunk({}, 'tool_calls'),
      untyped({ ...base, choices: [], usage }),
      'data: [DONE]\n\n',
    ]
  },
  openai_responses(events, model) {
    const deltas = events - 8
    const at = { item_id: 'msg_bench', output_index: 0, content_index: 0 }
    const item = { id: at.item_id, type: 'message', role: 'assistant' }
    const part = (text: string) => ({ type: 'output_text', annotations: [], logprobs: [], text })
    const text = words(0, deltas)
    const done = { ...item, status: 'completed', content: [part(text)] }
    const state = (status: string, members: Members) => ({
      response: { ...responseBase, model, status, error: null, ...members },
    })
    const usage = { input_tokens: 1418, output_tokens: deltas, total_tokens: 1418 + deltas }
    const told: [string, Members][] = [
      ['response.created', state('in_progress', { output: [], usage: null })],
      ['response.in_progress', state('in_progress', { output: [], usage: null })],
      ['response.output_item.added', { output_index: 0, item: { ...item, content: [] } }],
      ['response.content_part.added', { ...at, part: part('') }],
      ...times(deltas, (i): [string, Members] => [
        'response.output_text.delta',
        { ...at, delta: word(i), logprobs: [] },
      ]),
      ['response.output_text.done', { ...at, text, logprobs: [] }],
      ['response.content_part.done', { ...at, part: part(text) }],
      ['response.output_item.done', { output_index: 0, item: done }],
      ['response.completed', state('completed', { output: [done], usage })],
    ]
    return told.map(([type, members], sequence_number) =>
      typed(type, { ...members, sequence_number }),
    )
  },
}

/** Answers of some 2 KB. */
const blocking: Readonly<Record<FormatName, (text: string, model: string) => Members>> = {
  anthropic_messages: (text, model) => ({
    ...claudeMessage,
    model,
    content: [
      { type: 'text', text },
      { type: 'tool_use', id: 'toolu_01Bench', name: 'read_file', input: { path: 'src/x.ts' } },
    ],
    stop_reason: 'tool_use',
    stop_sequence: null,
    usage: { ...claudeUsage, output_tokens: 190 },
  }),
  openai_chat: (content, model) => ({
    ...chatBase,
    object: 'chat.completion',
    model,
    choices: [{ index: 0, message: { role: 'assistant', content }, finish_reason: 'stop' }],
    usage: { ...chatUsage, completion_tokens: 190, total_tokens: 1608 },
  }),
  openai_responses: (text, model) => ({
    ...responseBase,
    model,
    status: 'completed',
    output: [
      {
        id: 'msg_bench',
        type: 'message',
        status: 'completed',
        role: 'assistant',
        content: [{ type: 'output_text', annotations: [], text }],
      },
    ],
    usage: { input_tokens: 1418, output_tokens: 190, total_tokens: 1608 },
  }),
}

function times<T>(count: number, make: (index: number) => T): T[] {
  return Array.from({ length: Math.max(0, count) }, (_, index) => make(index))
}

/** The arguments of a tool call, cut into pieces that are JSON together. */
function pieceOfInput(index: number, pieces: number): string {
  if (pieces === 1) return '{"path":"src/x.ts"}'
  if (index === 0) return '{"path":"src/'
  return index === pieces - 1 ? 'x.ts"}' : `dir${index}/`
}
