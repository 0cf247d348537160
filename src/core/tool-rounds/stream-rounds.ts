import type { Readable } from 'node:stream'
import { messageOf, SluiceError } from '../errors.ts'
import { errorOfStatus } from '../formats/reply-error.ts'
import { filterHeaders, headerValue } from '../headers.ts'
import { isObject, parseJson } from '../json.ts'
import { outcomeOf } from '../outcome-of.ts'
import { Framer } from '../sse.ts'
import type { Reply } from '../upstream.ts'
import { MergedBody } from './merged-body.ts'
import { readWhole } from './read-whole.ts'
import type { RoundLoop } from './round-loop.ts'

/** Between two pings while tools run. */
const pingMs = 1000
/** How long an upstream may take to end a body behind its terminal frame, so that its connection can be kept. */
const lingerMs = 5000

/** The first reply with a body that goes on through all rounds. */
export function streamRounds(loop: RoundLoop, first: Reply): Reply {
  const body = new MergedBody()
  void stream(loop, first, body).finally(() => loop.close())
  // What the client gets may be longer or shorter.
  const headers = filterHeaders(first.headers, (name) => name !== 'content-length')
  return { ...first, headers, body }
}

async function stream(loop: RoundLoop, first: Reply, body: MergedBody): Promise<void> {
  let reply = first
  try {
    for (;;) {
      loop.observer.begin({ streaming: true, status: reply.status })
      await new StreamedRound(loop, reply.body, body).pass()
      if (!loop.goesOn) break
      reply = await pinging(loop, body, () => loop.next(body.signal))
      const refused = await refusalOf(loop, reply)
      if (refused === null) continue
      await body.write(refused)
      break
    }
    body.end()
  } catch (thrown) {
    const error: unknown = loop.limit.aborted ? loop.limit.reason : thrown
    if (body.destroyed) return
    // Nobody is there to be told; what was seen is kept.
    if (loop.options.gone.aborted) return body.end()
    // Only what we do ourselves ends in words of ours; a cut upstream looks cut.
    if (!(error instanceof SluiceError) || error.code === 'ERR_UPSTREAM_CUT') {
      body.destroy(error instanceof Error ? error : new Error(messageOf(error)))
      return
    }
    await body.write(ownError(loop, error))
    body.end()
  }
}

/** One upstream reply on its way into the merged body. */
class StreamedRound {
  readonly #loop: RoundLoop
  readonly #source: Readable
  readonly #body: MergedBody
  readonly #framer = new Framer()
  #ended = false
  #after: Uint8Array = new Uint8Array()

  constructor(loop: RoundLoop, source: Readable, body: MergedBody) {
    this.#loop = loop
    this.#source = source
    this.#body = body
  }

  /** Resolves at the end of the round, or of the reply. Rejects where the upstream breaks off. */
  async pass(): Promise<void> {
    const { limit } = this.#loop
    const giveUp = () => this.#source.destroy()
    const signals = [this.#body.signal, limit]
    for (const signal of signals) signal.addEventListener('abort', giveUp)
    try {
      if (signals.some(({ aborted }) => aborted)) giveUp()
      await this.#passAll()
    } catch (cause) {
      giveUp()
      if (cause instanceof SluiceError && cause.code === 'ERR_TOOL_LIMIT') throw cause
      throw new SluiceError(messageOf(cause), { code: 'ERR_UPSTREAM_CUT', status: 502, cause })
    } finally {
      for (const signal of signals) signal.removeEventListener('abort', giveUp)
    }
  }

  async #passAll(): Promise<void> {
    for await (const chunk of this.#source.iterator({ destroyOnReturn: false })) {
      const wasEnded = this.#ended
      const text = wasEnded ? (chunk as Buffer) : this.#merged(chunk as Buffer)
      if (this.#ended && !wasEnded && (await this.#lastWords(text))) return drain(this.#source)
      if (!this.#ended || wasEnded) await this.#body.write(text)
    }
    if (this.#ended) return
    await this.#lastWords(this.#tail())
  }

  /** What came without a last blank line, and is most often cut short. */
  #tail(): Uint8Array {
    const rest = Buffer.from(this.#framer.rest())
    const frame = this.#framer.end()
    const whole = frame && (frame.data.startsWith('[DONE]') || parseJson(frame.data) !== undefined)
    if (whole) return bytesOf(this.#take(frame), rest)
    // Pieces of a call that is withheld, or of a round of which the client knows nothing.
    const { isEdited, options } = this.#loop
    const ours = isEdited || options.tools.keys().some((tool) => rest.includes(tool))
    return ours ? new Uint8Array() : rest
  }

  /** What the client gets of a chunk; what comes behind the terminal frame is kept apart. */
  #merged(chunk: Buffer): Uint8Array {
    const parts: Uint8Array[] = []
    const after: Uint8Array[] = []
    for (const { frame, bytes } of this.#framer.push(chunk)) {
      if (this.#ended) after.push(bytes)
      else if (frame === null) parts.push(bytes)
      else parts.push(bytesOf(this.#take(frame), bytes))
    }
    if (this.#ended) this.#after = Buffer.concat([...after, this.#framer.rest()])
    return parts.length === 1 ? (parts[0] as Uint8Array) : Buffer.concat(parts)
  }

  #take(frame: Parameters<RoundLoop['merger']['frame']>[0]) {
    const { observer, merger, options } = this.#loop
    observer.note(frame)
    this.#ended = options.format.isTerminal(frame)
    const passed = merger.frame(frame)
    if (passed !== frame) this.#loop.edit()
    // A clean end is withheld behind calls of ours: what passes is an error.
    if (this.#ended && passed !== null && merger.calls.length > 0) this.#loop.break()
    return passed
  }

  /** The end of the round: true where another follows, else the reply's end is written. */
  async #lastWords(text: Uint8Array): Promise<boolean> {
    const loop = this.#loop
    const { merger } = loop
    if (loop.goesOn) {
      await this.#body.write(text)
      return true
    }
    if (loop.isMixed) {
      await this.#body.write(text)
      await pinging(loop, this.#body, () => loop.runHidden(this.#body.signal))
      await this.#body.write(Buffer.concat([Buffer.from(merger.ending()), this.#after]))
    } else {
      const ending = Buffer.from(loop.isBroken ? '' : merger.ending())
      await this.#body.write(Buffer.concat([text, ending, this.#after]))
    }
    return false
  }
}

function bytesOf(
  passed: { readonly bytes: Uint8Array } | string | null,
  own: Uint8Array,
): Uint8Array {
  if (passed === null) return new Uint8Array()
  return typeof passed === 'string' ? Buffer.from(passed) : own
}

/** Lets the connection be used again. */
function drain(source: Readable): void {
  const timer = setTimeout(() => source.destroy(), lingerMs).unref()
  source
    .on('error', () => {})
    .on('close', () => clearTimeout(timer))
    .resume()
}

async function pinging<T>(loop: RoundLoop, body: MergedBody, work: () => Promise<T>): Promise<T> {
  const timer = setInterval(() => body.offer(loop.options.dialect.ping), pingMs)
  try {
    return await work()
  } finally {
    clearInterval(timer)
  }
}

/** A later round that does not stream, as the frame that ends the stream with its error; null where it does stream. */
async function refusalOf(loop: RoundLoop, reply: Reply): Promise<string | null> {
  const { status, headers, body } = reply
  const type = headerValue(headers, 'content-type') ?? ''
  if (status < 400 && /^\s*text\/event-stream\b/i.test(type)) return null
  const { observer, merger, options } = loop
  const text = (await readWhole(body, 64 * 1024))?.toString() ?? ''
  if (status < 400) {
    throw new SluiceError(`the upstream answered a later round with ${type || 'no content type'}`, {
      code: 'ERR_UPSTREAM_REPLY',
      status: 502,
    })
  }
  observer.begin({ streaming: false, status })
  observer.note({ event: '', data: text, bytes: Buffer.from(text) })
  const json = parseJson(text)
  const error = { status, ...errorOfStatus(status, text) }
  const known = isObject(json) && isObject(json.error)
  return options.dialect.errorFrame(known ? json : options.format.errorBody(error), merger)
}

function ownError({ observer, merger, options }: RoundLoop, error: SluiceError): string {
  const { errorType } = outcomeOf(error)
  const { status, message } = error
  observer.fail(errorType, message)
  return options.dialect.errorFrame(
    options.format.errorBody({ status, errorType, message }),
    merger,
  )
}
