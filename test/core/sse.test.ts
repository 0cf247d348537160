import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createParser } from 'eventsource-parser'
import fc from 'fast-check'
import { type Frame, Framer } from '../../src/core/sse.ts'
import { chunked } from '../support/cuts.ts'
import { cuts, streams } from '../support/streams.ts'

test('blocks and rest are the input, and frames are the same however it is cut', () => {
  fc.assert(
    fc.property(streams, fc.array(cuts, { maxLength: 12 }), (bytes, at) => {
      const whole = framed([bytes])
      const inPieces = framed(chunked(bytes, offsets(at, bytes.length)))
      assert.deepEqual(inPieces.bytes, bytes)
      assert.deepEqual(inPieces.frames, whole.frames)
      assert.deepEqual(whole.bytes, bytes)
    }),
    { numRuns: 300 },
  )
})

test('one byte at a time gives the same frames as all at once', () => {
  fc.assert(
    fc.property(streams, (bytes) => {
      const single = framed(chunked(bytes, [...bytes.keys().drop(1)]))
      assert.deepEqual(single.bytes, bytes)
      assert.deepEqual(single.frames, framed([bytes]).frames)
    }),
    { numRuns: 150 },
  )
})

test('frames are what a parser of events reads from the whole text', () => {
  fc.assert(
    fc.property(streams, (bytes) => {
      const events: [string, string][] = []
      const parser = createParser({
        onEvent: ({ event, data }) => events.push([event ?? '', data]),
      })
      parser.feed(`${new TextDecoder().decode(bytes)}\n\n`)
      assert.deepEqual(framed([bytes]).frames, events)
    }),
    { numRuns: 300 },
  )
})

test('a read of many events gives the same blocks as a read of each, whatever their characters take', () => {
  fc.assert(
    fc.property(fc.array(streams, { minLength: 1, maxLength: 4 }), cuts, (parts, cut) => {
      // Long enough to be decoded as a whole, without the line ends that are looked for byte by byte.
      const once = Buffer.concat([...parts, Buffer.from('\ndata: ü→😀\n\n\ndata: x\n\n')])
      const bytes = Buffer.alloc(once.length * Math.ceil(2000 / once.length), once)
      for (let at = bytes.indexOf(13); at >= 0; at = bytes.indexOf(13, at)) bytes[at] = 120
      const pieces = chunked(
        bytes,
        [...Array(Math.ceil(bytes.length / 500)).keys()].map((n) => n * 500),
      )
      const { frames } = framed(pieces)
      assert.deepEqual(framed([bytes]).frames, frames)
      const { frames: second, bytes: passed } = framed(chunked(bytes, offsets([cut], 700)))
      assert.deepEqual(second, frames)
      assert.ok(passed.equals(bytes))
    }),
    { numRuns: 200 },
  )
})

test('bytes that are no character are read in a long chunk as they are in a short one', () => {
  const odd = Buffer.from('data: a\xffb\xc3\n\n', 'latin1')
  const [[, expected] = []] = framed([odd]).frames
  assert.equal(expected, 'a\ufffdb\ufffd')
  for (const [, data] of framed([Buffer.alloc(odd.length * 200, odd)]).frames) {
    assert.equal(data, expected)
  }
})

test('every line end ends a line, and a lone blank line is no frame', () => {
  for (const end of ['\n', '\r', '\r\n']) {
    const text = ['event: a', 'data: 1', 'data: 2', '', '', ': note', '', 'data: 3', '', ''].join(
      end,
    )
    const { frames } = framed([Buffer.from(text)])
    assert.deepEqual(frames, [
      ['a', '1\n2'],
      ['', '3'],
    ])
  }
})

test('line ends may be mixed, and a CRLF may be cut in two', () => {
  const text = Buffer.from('data: 1\r\n\ndata: 2\n\r\ndata: 3\r\r\ndata: 4\n\n')
  const want = ['1', '2', '3', '4'].map((data) => ['', data])
  for (const cut of text.keys().drop(1)) {
    const { frames, bytes } = framed(chunked(text, [cut]))
    assert.deepEqual(frames, want, `cut at ${cut}`)
    assert.deepEqual(bytes, text)
  }
})

test('a byte order mark is no part of the first field, also when it is cut', () => {
  const text = Buffer.from('\uFEFFdata: 1\n\n\uFEFFdata: 2\n\ndata: 3\n\n')
  for (const cut of [1, 2, 3, 9]) {
    assert.deepEqual(framed(chunked(text, [cut])).frames, [
      ['', '1'],
      ['', '3'],
    ])
  }
})

test('what lacks its last blank line is a frame at the end', () => {
  for (const tail of ['data: 2', 'data: 2\n', 'data: 2\r', 'data: 2\r\n']) {
    assert.deepEqual(framed([Buffer.from(`data: 1\n\n${tail}`)]).frames, [
      ['', '1'],
      ['', '2'],
    ])
  }
})

test('a frame over the bound passes unread, and the next one is read', () => {
  const long = `data: ${'x'.repeat(500)}\ndata: "event: fake"\n\n`
  const text = Buffer.from(`data: 1\n\n${long}data: 2\n\n`)
  for (const size of [1, 7, 64, 99, 1000]) {
    const framer = new Framer(100)
    const pieces = chunked(text, [...text.keys().filter((at) => at > 0 && at % size === 0)])
    const blocks = pieces.flatMap((piece) => framer.push(piece))
    assert.deepEqual(Buffer.concat(blocks.map(({ bytes }) => bytes)), text)
    assert.deepEqual(
      blocks.flatMap(({ frame }) => frame?.data ?? []),
      ['1', '2'],
      `pieces of ${size}`,
    )
    assert.equal(framer.skipped, true)
  }
})

test('a frame within the bound is read, and nothing is said to be skipped', () => {
  const framer = new Framer(100)
  assert.equal(framer.push(Buffer.from(`data: ${'x'.repeat(90)}\n\n`)).length, 1)
  assert.equal(framer.skipped, false)
})

test('a block tells where it begins in the chunk that completed it', () => {
  const framer = new Framer()
  framer.push(Buffer.from('data: 1'))
  const blocks = framer.push(Buffer.from('\n\ndata: 2\n\ndata: 3\n\nda'))
  assert.deepEqual(
    blocks.map(({ start, bytes }) => [start, bytes.length]),
    [
      [0, 9],
      [2, 9],
      [11, 9],
    ],
  )
  assert.equal(Buffer.from(framer.rest()).toString(), 'da')
})

function framed(pieces: readonly Buffer[]): { bytes: Buffer; frames: [string, string][] } {
  const framer = new Framer()
  const blocks = pieces.flatMap((piece) => framer.push(piece))
  const rest = framer.rest()
  const last = framer.end()
  const frames: Frame[] = blocks.flatMap(({ frame }) => frame ?? [])
  if (last) frames.push(last)
  return {
    bytes: Buffer.concat([...blocks.map(({ bytes }) => bytes), rest]),
    frames: frames.map(({ event, data }) => [event, data]),
  }
}

function offsets(at: readonly number[], length: number): number[] {
  return [...new Set(at.map((each) => each % length))].filter(Boolean).sort((a, b) => a - b)
}
