import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import type { Format } from '../../../src/core/format.ts'
import { anthropicMessages } from '../../../src/core/formats/anthropic-messages/format.ts'
import { formats } from '../../../src/core/formats/formats.ts'
import { openaiChat } from '../../../src/core/formats/openai-chat/format.ts'
import { openaiResponses } from '../../../src/core/formats/openai-responses/format.ts'
import { frame } from '../../support/frames.ts'
import { type ReadReply, readBody, readStream } from '../../support/read-reply.ts'
import {
  type Answer,
  answers,
  type WrittenAnswer,
  writeChat,
  writeMessages,
  writeResponses,
} from '../../support/written-answer.ts'

const written: [Format, (answer: Answer) => WrittenAnswer][] = [
  [anthropicMessages, writeMessages],
  [openaiChat, writeChat],
  [openaiResponses, writeResponses],
]

for (const [format, write] of written) {
  test(`${format.name}: an answer gives the same records streamed and whole`, () => {
    fc.assert(
      fc.property(answers, (answer) => {
        const { frames, body } = write(answer)
        const stream = readStream(format, frames)
        assert.deepEqual(records(stream), records(readBody(format, body)))
        const calls = answer.blocks.flatMap((block) => (block.type === 'call' ? [block] : []))
        assert.deepEqual(
          stream.tools.map(({ tool, input }) => [tool, input]),
          calls.map(({ name, args }) => [name, JSON.stringify(args)]),
        )
        assert.deepEqual(
          [stream.usage?.inputTokens, stream.usage?.outputTokens],
          [answer.input, answer.output],
        )
      }),
      { numRuns: 200 },
    )
  })

  test(`${format.name}: a stream cut anywhere tells no more than was sent`, () => {
    fc.assert(
      fc.property(answers, fc.nat({ max: 40 }), (answer, at) => {
        const { frames } = write(answer)
        const whole = readStream(format, frames)
        const kept = Math.min(at, frames.length)
        const cut = readStream(format, frames.slice(0, kept))
        assert.ok(cut.tools.length <= whole.tools.length)
        for (const [index, { tool, input }] of cut.tools.entries()) {
          assert.equal(tool, whole.tools[index]?.tool)
          assert.ok(input === '{}' || whole.tools[index]?.input.startsWith(input))
        }
        for (const [index, { text }] of cut.thoughts.entries()) {
          assert.ok(whole.thoughts[index]?.text.startsWith(text))
        }
        assert.ok(whole.text.startsWith(cut.text))
        assert.ok((cut.usage?.inputTokens ?? 0) <= answer.input)
        assert.ok((cut.usage?.outputTokens ?? 0) <= answer.output)
        const ended = kept === frames.length || (format === openaiChat && kept >= frames.length - 2)
        assert.equal(cut.verdict.outcome, ended ? 'completed' : 'upstream_cut')
      }),
      { numRuns: 300 },
    )
  })
}

test('no frame, however odd, makes a round throw', () => {
  const words = fc.constantFrom(
    'message_start',
    'content_block_start',
    'content_block_delta',
    'content_block_stop',
    'message_delta',
    'response.output_item.added',
    'response.output_item.done',
    'response.completed',
    'response.failed',
    'response.function_call_arguments.delta',
    'error',
    'tool_use',
    'thinking',
    '',
  )
  const names = fc.constantFrom(
    'type',
    'index',
    'delta',
    'content_block',
    'message',
    'usage',
    'choices',
    'tool_calls',
    'function',
    'response',
    'item',
    'output',
    'output_index',
    'summary_index',
    'content',
    'error',
    'id',
    '__proto__',
    'constructor',
  )
  const { node } = fc.letrec((tie) => ({
    node: fc.oneof(
      { maxDepth: 4 },
      fc.jsonValue({ maxDepth: 1 }),
      words,
      fc.array(tie('node'), { maxLength: 3 }),
      fc.dictionary(names, tie('node')),
    ),
  }))
  const data = fc.oneof(
    node.map((value) => JSON.stringify(value)),
    fc.string(),
  )
  const frames = fc.array(fc.tuple(words, data), { maxLength: 12 })
  fc.assert(
    fc.property(frames, fc.boolean(), fc.constantFrom(200, 404, 500), (list, streaming, status) => {
      for (const format of Object.values(formats)) {
        const round = format.createRound({ round: 0, streaming, status })
        for (const [event, text] of list) {
          const each = frame(event, text)
          format.isTerminal(each)
          round.read(each)
        }
        round.verdict()
        for (const event of round.finish()) assert.ok(Object.isFrozen(event))
      }
    }),
    { numRuns: 500 },
  )
})

test('a reply of very many parts is read in a moment', () => {
  const many = Array.from({ length: 100_000 }, (_, at) => at)
  const output = many.map((at) => ({ type: 'function_call', id: `fc_${at}`, name: 'f' }))
  const tool_calls = many.map((index) => ({ index, id: `call_${index}`, function: { name: 'f' } }))
  const started = performance.now()
  const responses = readStream(openaiResponses, [
    ...output.slice(0, 50_000).map((item) => frame('response.output_item.done', { item })),
    frame('response.completed', { response: { output } }),
  ])
  const chat = readStream(openaiChat, [frame('', { choices: [{ delta: { tool_calls } }] })])
  // Anything quadratic takes minutes here.
  assert.ok(performance.now() - started < 10_000)
  assert.equal(responses.tools.length, 100_000)
  assert.equal(chat.tools.length, 100_000)
})

/** All that is recorded: text as a whole, the final figures, everything else event by event. */
function records({ events, text, messageId, verdict }: ReadReply) {
  const kept = events
    .filter((event) => event.type !== 'text' && !(event.type === 'usage' && !event.final))
    .sort((a, b) => a.type.localeCompare(b.type))
  return { kept, text, messageId, verdict }
}
