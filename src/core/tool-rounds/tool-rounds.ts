import type { InterceptionEvent } from '../events.ts'
import { headerValue } from '../headers.ts'
import { JsonEdit } from '../json-edit.ts'
import type { ReplyReader } from '../reply-reader.ts'
import type { Frame } from '../sse.ts'
import { SseReader } from '../sse-reader.ts'
import type { Reply } from '../upstream.ts'
import { dialects } from './dialects.ts'
import { MergedReader } from './merged-reader.ts'
import { RoundsObserver } from './observer.ts'
import { plainReply } from './plain-reply.ts'
import { RoundLoop, type RoundLoopOptions } from './round-loop.ts'
import { streamRounds } from './stream-rounds.ts'
import { wholeRounds } from './whole-rounds.ts'

export interface ToolRoundsOptions extends Omit<RoundLoopOptions, 'dialect' | 'observer' | 'gone'> {
  readonly emit: (events: readonly InterceptionEvent[]) => void
  readonly frame: (frame: Frame) => void
  /** Between two reads of a body that does not stream, in ms. */
  readonly upstreamIdleTimeout: number
}

export interface ReaderHooks {
  /** Usage was asked for in the client's stead: the chunk with it is taken out. */
  readonly askedUsage: boolean
  /** Hears that the terminal frame's events were given. */
  readonly terminal: () => void
}

/** The reply to a request with tools of ours: to the relay one reply, whatever number of upstream calls it takes. */
export interface MergedReply {
  readonly reply: Reply
  /** Null where the reply is to be read like any other: nothing in it was looked at. */
  readonly reader: ((hooks: ReaderHooks) => ReplyReader) | null
}

/** Sends a request with tools of ours and runs those that the model calls. */
export class ToolRounds {
  readonly #options: ToolRoundsOptions
  readonly #observer: RoundsObserver
  readonly #gone = new AbortController()

  constructor(options: ToolRoundsOptions) {
    this.#options = options
    this.#observer = new RoundsObserver(options)
  }

  /** True once the model has said anything. */
  get generating(): boolean {
    return this.#observer.generating
  }

  /** What is owed of events when it ends; only the first call gives any. */
  finish(): readonly InterceptionEvent[] {
    return this.#observer.finish()
  }

  /** The client has left: what runs of tools is cancelled, and no more are run. */
  clientGone(): void {
    this.#gone.abort(new Error('the client went away'))
  }

  /** Resolves when the head of the reply is known: of one that does not stream that is at its end. */
  async start(): Promise<MergedReply> {
    const { format, emit } = this.#options
    const observer = this.#observer
    const loop = new RoundLoop({
      ...this.#options,
      dialect: dialects[format.name],
      observer,
      gone: this.#gone.signal,
    })
    const sent = await loop.send(neverAborted)
    if (sent.status >= 400) return { reply: sent, reader: null }
    const first = plainReply(sent)
    const kind = kindOf(first, this.#options.request.body)
    if (kind === 'other') return { reply: first, reader: null }
    if (kind === 'whole') {
      const merged = await wholeRounds(loop, first, this.#options.upstreamIdleTimeout)
      return merged.read
        ? { ...merged, reader: () => new MergedReader(observer) }
        : { ...merged, reader: null }
    }
    return {
      reply: streamRounds(loop, first),
      reader: ({ askedUsage, terminal }) =>
        new SseReader({ format, round: observer, emit, terminal, frame: () => {}, askedUsage }),
    }
  }
}

const neverAborted = new AbortController().signal

/** What can't be read passes as it is. */
function kindOf({ headers }: Reply, request: Buffer): 'streamed' | 'whole' | 'other' {
  const type = headerValue(headers, 'content-type') ?? ''
  const encoding = (headerValue(headers, 'content-encoding') ?? 'identity').trim().toLowerCase()
  if (encoding !== 'identity' && encoding !== '') return 'other'
  if (/^\s*text\/event-stream\b/i.test(type)) return 'streamed'
  if (/\bjson\b/i.test(type)) return 'whole'
  // Some servers name no type, or plain text; a stream is not kept back for that.
  const unnamed = type === '' || /^\s*text\/plain\b/i.test(type)
  return unnamed && new JsonEdit(request).value('stream') !== true ? 'whole' : 'other'
}
