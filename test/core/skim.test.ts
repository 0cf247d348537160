import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { suite, test } from 'node:test'
import fc from 'fast-check'
import { ignoreElements, tap } from 'rxjs'
import { createReader } from '../../src/core/create-reader.ts'
import type { InterceptionEvent } from '../../src/core/events.ts'
import { formats } from '../../src/core/formats/formats.ts'
import type { Plugin } from '../../src/core/plugin.ts'
import type { FormatName } from '../../src/core/records.ts'
import { chunked } from '../support/cuts.ts'
import { startGateway } from '../support/gateway.ts'
import { routes } from '../support/questions.ts'
import { rawCall } from '../support/raw-client.ts'

/** Blocks of a stream in the spelling of their vendor: a piece of text, and others that may stand between. */
interface Dialect {
  readonly head: readonly string[]
  readonly text: (text: string, index: number, at: number) => string
  readonly others: readonly string[]
  readonly tail: readonly string[]
}

const event = (type: string, json: string) => `event: ${type}\ndata: ${json}\n\n`
const claude = (type: string, rest: string) => event(type, `{"type":"${type}"${rest}}`)
const chunk = (choice: string, rest = '"usage":null') =>
  `data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":17,"model":"m","service_tier":"default","system_fingerprint":"fp","choices":[${choice}],${rest}}\n\n`
const item = (type: string, index: number, members: string) =>
  event(type, `{"type":"${type}","item":{"id":"msg_${index}",${members}},"output_index":${index}}`)

const dialects: Readonly<Record<FormatName, Dialect>> = {
  anthropic_messages: {
    head: [
      claude('message_start', ',"message":{"id":"msg_1","model":"m","usage":{"input_tokens":3}}'),
      claude('content_block_start', ',"index":0,"content_block":{"type":"text","text":""}'),
    ],
    text: (text, index, at) =>
      claude(
        'content_block_delta',
        `,"index":${index},"delta":{"type":"text_delta","text":${text}}${' '.repeat(at % 3)}`,
      ),
    others: [
      claude('content_block_stop', ',"index":0'),
      claude('content_block_start', ',"index":1,"content_block":{"type":"thinking","thinking":""}'),
      claude('content_block_delta', ',"index":1,"delta":{"type":"thinking_delta","thinking":"hm"}'),
      claude(
        'content_block_start',
        ',"index":2,"content_block":{"type":"tool_use","id":"toolu_1","name":"ls","input":{}}',
      ),
      claude(
        'content_block_delta',
        ',"index":2,"delta":{"type":"input_json_delta","partial_json":"{}"}',
      ),
      claude('ping', ''),
      claude('message_delta', ',"delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":9}'),
      // Two members of one name: the later one counts.
      claude(
        'content_block_delta',
        ',"index":0,"delta":{"type":"text_delta","text":"x","type":"input_json_delta"}',
      ),
    ],
    tail: [claude('message_stop', '')],
  },
  openai_chat: {
    head: [chunk('{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}')],
    text: (text, index, at) =>
      chunk(
        `{"index":${index},"delta":{"content":${text}},"logprobs":null,"finish_reason":null}`,
        `"usage":null,"obfuscation":"${'x'.repeat(at % 4)}"`,
      ),
    others: [
      chunk('{"index":0,"delta":{"reasoning_content":"hm"},"finish_reason":null}'),
      chunk(
        '{"index":1,"delta":{"tool_calls":[{"index":0,"id":"call_1","function":{"name":"ls","arguments":"{}"}}]},"finish_reason":null}',
      ),
      chunk('{"index":0,"delta":{"content":"end"},"logprobs":null,"finish_reason":"stop"}'),
      chunk('{"index":0,"delta":{},"finish_reason":"stop"}'),
      chunk(
        '{"index":0,"delta":{"content":"x"},"finish_reason":null}',
        '"usage":{"prompt_tokens":1}',
      ),
      ': a comment\n\n',
    ],
    tail: [
      chunk('{"index":0,"delta":{},"finish_reason":"stop"}'),
      chunk('', '"usage":{"prompt_tokens":4,"completion_tokens":9}'),
      'data: [DONE]\n\n',
    ],
  },
  openai_responses: {
    head: [
      event(
        'response.created',
        '{"type":"response.created","response":{"id":"resp_1","model":"m"}}',
      ),
      item('response.output_item.added', 0, '"type":"message","content":[]'),
      item('response.output_item.added', 1, '"type":"message","phase":"commentary","content":[]'),
    ],
    text: (text, index, at) =>
      event(
        'response.output_text.delta',
        at % 2 === 0 || index === 2
          ? `{"type":"response.output_text.delta","content_index":0,"delta":${text},"item_id":"msg_${index}","logprobs":[],"obfuscation":"x","output_index":${index},"sequence_number":${at}}`
          : `{"type":"response.output_text.delta","item_id":"msg_${index}","output_index":${index},"content_index":0,"delta":${text},"logprobs":[],"sequence_number":${at}}`,
      ),
    others: [
      item('response.output_item.done', 0, '"type":"message","content":[]'),
      item(
        'response.output_item.added',
        2,
        '"type":"function_call","name":"ls","call_id":"call_1"',
      ),
      event(
        'response.function_call_arguments.delta',
        '{"type":"response.function_call_arguments.delta","output_index":2,"delta":"{}"}',
      ),
    ],
    tail: [
      event(
        'response.completed',
        '{"type":"response.completed","response":{"id":"resp_1","usage":{"input_tokens":3,"output_tokens":9}}}',
      ),
    ],
  },
}

for (const [name, dialect] of Object.entries(dialects) as [FormatName, Dialect][]) {
  suite(name, () => {
    test('a run of texts that nobody looks at is not read, but for its first piece', () => {
      const texts = Array.from({ length: 50 }, (_, at) =>
        dialect.text(quoted(`„${at}“\n`), 0, 2 * at),
      )
      const all = Buffer.from([...dialect.head, ...texts, ...dialect.tail].join(''))
      assert.equal(read(name, [all], false).filter(isText).length, 50)
      assert.ok(read(name, [all], true).filter(isText).length <= 2)
    })

    test('whatever a stream says, and wherever it is cut: but for texts all is told alike', () => {
      const piece = fc.oneof(
        {
          weight: 8,
          arbitrary: fc.tuple(fc.string({ unit: 'grapheme' }).map(quoted), fc.nat({ max: 2 })),
        },
        { weight: 1, arbitrary: fc.constantFrom(...broken).map((text) => [text, 0] as const) },
        { weight: 2, arbitrary: fc.nat({ max: dialect.others.length - 1 }) },
      )
      const stream = fc.array(fc.tuple(piece, fc.integer({ min: 1, max: 12 })), { maxLength: 12 })
      const property = fc.property(
        stream,
        fc.array(fc.nat(), { maxLength: 3 }),
        fc.nat(),
        fc.boolean(),
        (said, cuts, flip, flips) => {
          let at = 0
          const blocks = said.flatMap(([what, times]) =>
            Array.from({ length: times }, () =>
              typeof what === 'number'
                ? (dialect.others[what] as string)
                : dialect.text(what[0], what[1], at++),
            ),
          )
          const ending = flip % 3 === 0 ? [] : dialect.tail
          const bytes = Buffer.from([...dialect.head, ...blocks, ...ending].join(''))
          // One byte that went wrong on its way.
          if (flips) bytes[flip % bytes.length] = 0x20 + (flip % 0x5f)
          const places = cuts.map((cut) => 1 + (cut % (bytes.length - 1)))
          const pieces = chunked(
            bytes,
            [...new Set(places)].sort((a, b) => a - b),
          )
          const whole = read(name, pieces, false)
          const skimmed = read(name, pieces, true)
          assert.equal(withoutTexts(skimmed), withoutTexts(whole))
          assert.equal(
            JSON.stringify(read(name, pieces, false)),
            JSON.stringify(read(name, chunked(bytes, [...bytes.keys()].slice(1)), false)),
          )
        },
      )
      fc.assert(property, { numRuns: 300 })
    })
  })
}

test('who looks at texts or frames is given all of them, however many come at once', async (t) => {
  const { head, text, tail } = dialects.anthropic_messages
  const texts = Array.from({ length: 50 }, (_, at) => text(quoted(`${at} `), 0, at))
  const blocks = [...head, ...texts, ...tail]
  const upstream = createServer((request, response) => {
    response.setHeader('content-type', 'text/event-stream')
    request.resume().once('end', () => response.end(blocks.join('')))
  })
  await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve))
  const { port } = upstream.address() as AddressInfo
  let seen = ''
  const frames: string[] = []
  const texter: Plugin = {
    name: 'texter',
    observes: ['text'],
    observe: (events$) =>
      events$.pipe(
        tap((each) => {
          if (each.type === 'text') seen += each.text
        }),
        ignoreElements(),
      ),
  }
  const framer: Plugin = {
    name: 'framer',
    observes: ['request'],
    observe: (_, { frames$ }) =>
      frames$.pipe(
        tap(({ bytes }) => frames.push(Buffer.from(bytes).toString())),
        ignoreElements(),
      ),
  }
  const provider = { baseUrl: `http://127.0.0.1:${port}` }
  const gateways = await Promise.all(
    [texter, framer].map((plugin) => startGateway({ provider, plugins: [plugin] })),
  )
  t.after(async () => {
    for (const gateway of gateways) await gateway.close()
    upstream.close()
  })
  for (const gateway of gateways) {
    const { path, ask } = routes.messages
    await rawCall(gateway.port, { path, body: { ...ask, stream: true } })
    await gateway.ended(0)
  }
  assert.equal(seen, Array.from({ length: 50 }, (_, at) => `${at} `).join(''))
  assert.deepEqual(frames, blocks)
})

/** What a reader tells of a reply that comes in these pieces; `skims`: nobody looks at texts. */
function read(name: FormatName, pieces: readonly Buffer[], skims: boolean): readonly Told[] {
  const told: Told[] = []
  const { reader, round } = createReader(
    {
      status: 200,
      statusText: '',
      headers: ['content-type', 'text/event-stream'],
      body: Readable.from([]),
    },
    {
      format: formats[name],
      roundNumber: 0,
      wantsStream: true,
      askedUsage: false,
      emit: (events) => told.push(...events),
      terminal: () => told.push('terminal'),
      skim: () => skims,
      frame: () => {},
    },
  )
  const passed: Uint8Array[] = []
  for (const piece of pieces) {
    const { pass, held } = reader.push(piece)
    passed.push(pass ?? none, held ?? none)
    reader.observe()
  }
  assert.ok(Buffer.concat(passed).equals(Buffer.concat(pieces)))
  told.push(...reader.finish(), reader.verdict(), round.origin, { generating: round.generating })
  return told
}

type Told = InterceptionEvent | string | object

function withoutTexts(told: readonly Told[]): string {
  return JSON.stringify(told.filter((each) => !isText(each)))
}

function isText(told: Told): boolean {
  return typeof told === 'object' && 'type' in told && told.type === 'text'
}

function quoted(text: string): string {
  return JSON.stringify(text)
}

const none = new Uint8Array()

/** Texts that are none, or look like the end of one. */
const broken: readonly string[] = [
  'null',
  '"cut',
  '"a\\"',
  String.raw`"\"`,
  String.raw`"\\"`,
  String.raw`"\\\"}}"`,
  String.raw`"\q"`,
  String.raw`"\u12"`,
  '""',
  '"a","x":"b"',
]
