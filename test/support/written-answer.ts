import fc from 'fast-check'
import type { Frame } from '../../src/core/sse.ts'
import { frame } from './frames.ts'

/** What a model might say, apart from how a format puts it. */
export interface Answer {
  readonly blocks: readonly Block[]
  readonly input: number
  readonly output: number
  readonly cached: number
}

type Block =
  | { readonly type: 'text' | 'thinking'; readonly pieces: readonly string[] }
  | { readonly type: 'call'; readonly name: string; readonly args: object; readonly cuts: number }

/** An answer as a stream and as a whole body. */
export interface WrittenAnswer {
  readonly frames: readonly Frame[]
  readonly body: object
}

const pieces = fc.array(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 8 }), {
  minLength: 1,
  maxLength: 4,
})
const tokens = fc.nat({ max: 10_000 })

export const answers: fc.Arbitrary<Answer> = fc.record({
  blocks: fc.array(
    fc.oneof(
      fc.record({ type: fc.constantFrom('text' as const, 'thinking' as const), pieces }),
      fc.record({
        type: fc.constant('call' as const),
        name: fc.constantFrom('Read', 'Bash', 'add'),
        args: fc.dictionary(fc.string({ maxLength: 5 }), fc.jsonValue({ maxDepth: 1 }), {
          maxKeys: 3,
        }),
        cuts: fc.integer({ min: 1, max: 5 }),
      }),
    ),
    { maxLength: 6 },
  ),
  input: tokens,
  output: tokens,
  cached: tokens,
})

export function writeMessages({ blocks, input, output, cached }: Answer): WrittenAnswer {
  const event = (type: string, more: object) => frame(type, { type, ...more })
  const usage = { input_tokens: input, cache_read_input_tokens: cached }
  const content = blocks.map((block, at) => {
    if (block.type === 'call') {
      return { type: 'tool_use', id: `toolu_${at}`, name: block.name, input: block.args }
    }
    return block.type === 'text'
      ? { type: 'text', text: block.pieces.join('') }
      : { type: 'thinking', thinking: block.pieces.join(''), signature: 's' }
  })
  const deltas = blocks.map((block) => {
    if (block.type === 'call') {
      return slices(JSON.stringify(block.args), block.cuts).map((partial_json) => ({
        type: 'input_json_delta',
        partial_json,
      }))
    }
    const type = `${block.type}_delta`
    return block.pieces.map((piece) => ({ type, [block.type]: piece }))
  })
  const empty = { text: '', thinking: '', input: {} }
  return {
    body: {
      id: 'id_1',
      type: 'message',
      content,
      stop_reason: 'end_turn',
      usage: { ...usage, output_tokens: output },
    },
    frames: [
      event('message_start', {
        message: {
          id: 'id_1',
          content: [],
          usage: { ...usage, output_tokens: Math.min(1, output) },
        },
      }),
      event('ping', {}),
      ...content.flatMap((block, index) => [
        event('content_block_start', {
          index,
          content_block: Object.fromEntries(
            Object.entries(block).map(([key, value]) => [
              key,
              empty[key as keyof typeof empty] ?? value,
            ]),
          ),
        }),
        ...(deltas[index] ?? []).map((delta) => event('content_block_delta', { index, delta })),
        event('content_block_stop', { index }),
      ]),
      event('message_delta', {
        delta: { stop_reason: 'end_turn' },
        usage: { output_tokens: output },
      }),
      event('message_stop', {}),
    ],
  }
}

export function writeChat({ blocks, input, output, cached }: Answer): WrittenAnswer {
  const usage = {
    prompt_tokens: input + cached,
    completion_tokens: output,
    prompt_tokens_details: { cached_tokens: cached },
  }
  const calls = blocks.flatMap((block) => (block.type === 'call' ? [block] : []))
  const textOf = (type: 'text' | 'thinking') =>
    blocks.flatMap((block) => (block.type === type ? block.pieces : [])).join('')
  const deltas: object[] = blocks.flatMap((block) => {
    if (block.type === 'call') return []
    const name = block.type === 'text' ? 'content' : 'reasoning_content'
    return block.pieces.map((piece) => ({ [name]: piece }))
  })
  const opened = calls.map(({ name }, index) => ({
    index,
    id: `call_${index}`,
    type: 'function',
    function: { name, arguments: '' },
  }))
  if (opened.length > 0) deltas.push({ tool_calls: opened })
  // Pieces of parallel calls take turns.
  const parts = calls.map(({ args, cuts }) => slices(JSON.stringify(args), cuts))
  for (let turn = 0; parts.some((slice) => turn < slice.length); turn++) {
    for (const [index, slice] of [...parts.entries()].reverse()) {
      if (slice[turn] === undefined) continue
      deltas.push({ tool_calls: [{ index, function: { arguments: slice[turn] } }] })
    }
  }
  const chunk = (more: object) => frame('', { id: 'id_1', usage: null, ...more })
  return {
    body: {
      id: 'id_1',
      choices: [
        {
          index: 0,
          finish_reason: 'stop',
          message: {
            role: 'assistant',
            content: textOf('text') || null,
            reasoning_content: textOf('thinking'),
            tool_calls: calls.map(({ name, args }, at) => ({
              id: `call_${at}`,
              type: 'function',
              function: { name, arguments: JSON.stringify(args) },
            })),
          },
        },
      ],
      usage,
    },
    frames: [
      ...deltas.map((delta) => chunk({ choices: [{ index: 0, delta, finish_reason: null }] })),
      chunk({ choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] }),
      chunk({ choices: [], usage }),
      frame('', '[DONE]'),
    ],
  }
}

export function writeResponses({ blocks, input, output, cached }: Answer): WrittenAnswer {
  const items = blocks.map((block, at) => {
    if (block.type === 'call') {
      return {
        type: 'function_call',
        id: `fc_${at}`,
        call_id: `call_${at}`,
        name: block.name,
        arguments: JSON.stringify(block.args),
      }
    }
    const text = block.pieces.join('')
    return block.type === 'text'
      ? { type: 'message', id: `msg_${at}`, content: [{ type: 'output_text', text }] }
      : { type: 'reasoning', id: `rs_${at}`, summary: [{ type: 'summary_text', text }] }
  })
  const kinds = {
    call: 'response.function_call_arguments.delta',
    text: 'response.output_text.delta',
    thinking: 'response.reasoning_summary_text.delta',
  }
  const response = {
    id: 'id_1',
    status: 'completed',
    output: items,
    usage: {
      input_tokens: input + cached,
      input_tokens_details: { cached_tokens: cached },
      output_tokens: output,
    },
  }
  const event = (type: string, more: object) => frame(type, { type, ...more })
  return {
    body: response,
    frames: [
      event('response.created', { response: { id: 'id_1', output: [], usage: null } }),
      ...blocks.flatMap((block, output_index) => {
        const item = items[output_index] ?? {}
        const parts =
          block.type === 'call' ? slices(JSON.stringify(block.args), block.cuts) : block.pieces
        return [
          event('response.output_item.added', {
            output_index,
            item: { ...item, arguments: '', content: [], summary: [] },
          }),
          ...parts.map((delta) =>
            event(kinds[block.type], { output_index, content_index: 0, summary_index: 0, delta }),
          ),
          event('response.output_item.done', { output_index, item }),
        ]
      }),
      event('response.completed', { response }),
    ],
  }
}

function slices(text: string, count: number): string[] {
  const size = Math.ceil(text.length / count)
  return Array.from({ length: count }, (_, at) => text.slice(at * size, (at + 1) * size))
}
