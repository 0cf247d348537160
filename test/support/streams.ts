import fc from 'fast-check'

/** Where to cut: taken modulo the length. */
export const cuts: fc.Arbitrary<number> = fc.nat(1_000_000)

const lineEnds = fc.constantFrom('\n', '\n', '\n', '\r\n', '\r')

const json = fc
  .record({
    type: fc.constantFrom('ping', 'content_block_delta', 'odd'),
    text: fc.string({ unit: 'grapheme' }),
  })
  .map((value) => JSON.stringify(value))

const data = fc.oneof(
  json,
  fc.string({ unit: 'grapheme', maxLength: 40 }),
  fc.constantFrom('', '{"broken":', '[DONE', 'ä€😀', 'null', ' lead'),
)

const field = fc.oneof(
  { weight: 6, arbitrary: data.map((text) => `data: ${text}`) },
  { weight: 2, arbitrary: data.map((text) => `data:${text}`) },
  { weight: 2, arbitrary: fc.constantFrom('event: message_delta', 'event:odd', 'event') },
  { weight: 1, arbitrary: fc.constantFrom(': comment', ':', 'id: 7', 'retry: 10', 'data', 'x: y') },
)

/** One event, comment or blank line, with whatever line ends. */
const block = fc
  .tuple(fc.array(field, { maxLength: 4 }), fc.array(lineEnds, { minLength: 5, maxLength: 5 }))
  .map(([fields, ends]) => fields.map((each, at) => each + ends[at]).join('') + ends[4])
  .map((text) => Buffer.from(text))

const junk = fc.uint8Array({ maxLength: 12 }).map((bytes) => Buffer.from(bytes))

/** Streams of events as bytes: any line ends, comments, junk, half an event at the end, a byte order mark. */
export const streams: fc.Arbitrary<Buffer> = fc
  .record({
    bom: fc.boolean(),
    blocks: fc.array(fc.oneof({ weight: 8, arbitrary: block }, { weight: 1, arbitrary: junk }), {
      minLength: 1,
      maxLength: 12,
    }),
    tail: fc.option(data),
  })
  .map(({ bom, blocks, tail }) =>
    Buffer.concat([
      Buffer.from(bom ? '\uFEFF' : ''),
      ...blocks,
      Buffer.from(tail === null ? '' : `data: ${tail}`),
    ]),
  )
  .filter(({ length }) => length > 0)
