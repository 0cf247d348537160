import { Readable } from 'node:stream'
import { setImmediate as turn } from 'node:timers/promises'
import type { Context } from 'koa'

/** Up to here an answer is sent at once, with its length, in characters. */
const whole = 256 * 1024

/**
 * Answers with JSON that comes in pieces: in the memory of a page, at the pace of who reads. Rejects where the first
 * pieces cannot be had; an answer that breaks later ends without its end.
 */
export async function answerPieces(
  ctx: Context,
  pieces: AsyncIterable<string> | Iterable<string>,
): Promise<void> {
  const chunks = gathered(pieces)
  const first = await chunks.next()
  const second = first.done ? first : await chunks.next()
  ctx.status = 200
  ctx.type = 'json'
  if (first.done || second.done) ctx.body = first.value ?? ''
  else ctx.body = Readable.from(all([first.value, second.value], chunks), { highWaterMark: 1 })
}

/** In larger pieces, between which streams are given a turn. */
async function* gathered(
  pieces: AsyncIterable<string> | Iterable<string>,
): AsyncGenerator<string, void> {
  let text = ''
  for await (const piece of pieces) {
    text += piece
    if (text.length < whole) continue
    yield text
    text = ''
    await turn()
  }
  if (text !== '') yield text
}

async function* all(
  begun: readonly string[],
  rest: AsyncIterable<string>,
): AsyncGenerator<string, void> {
  yield* begun
  yield* rest
}
