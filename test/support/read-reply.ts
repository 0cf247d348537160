import type {
  EventOf,
  EventType,
  InterceptionEvent,
  ReasoningEvent,
  ToolCallEvent,
  UsageEvent,
} from '../../src/core/events.ts'
import type { Format, Verdict } from '../../src/core/format.ts'
import type { Frame } from '../../src/core/sse.ts'
import { frame } from './frames.ts'

export interface ReadReply {
  readonly messageId: string
  readonly events: readonly InterceptionEvent[]
  readonly verdict: Verdict
  /** True where a frame was read as the terminal one. */
  readonly ended: boolean
  readonly text: string
  readonly tools: readonly ToolCallEvent[]
  readonly thoughts: readonly ReasoningEvent[]
  /** The final figures; undefined where the provider gave none. */
  readonly usage: UsageEvent | undefined
  readonly reasons: readonly string[]
}

/** Reads the frames as the relay does: up to the terminal one, then what is owed. */
export function readStream(
  format: Format,
  frames: readonly Frame[],
  { status = 200, streaming = true }: { status?: number; streaming?: boolean } = {},
): ReadReply {
  const round = format.createRound({ round: 0, streaming, status })
  const events: InterceptionEvent[] = []
  let ended = false
  for (const each of frames) {
    ended = streaming && format.isTerminal(each)
    events.push(...round.read(each))
    if (ended) break
  }
  const verdict = round.verdict()
  events.push(...round.finish())
  const final = ofType(events, 'usage').filter((event) => event.final)
  if (final.length > 1) throw new Error('more than one final usage event')
  return {
    messageId: round.messageId,
    events,
    verdict,
    ended,
    text: ofType(events, 'text')
      .map(({ text }) => text)
      .join(''),
    tools: ofType(events, 'tool_call'),
    thoughts: ofType(events, 'reasoning'),
    usage: final[0],
    reasons: ofType(events, 'finish').map(({ reason }) => reason),
  }
}

/** Reads a whole body. */
export function readBody(format: Format, body: unknown, status = 200): ReadReply {
  return readStream(format, [frame('', body)], { status, streaming: false })
}

function ofType<T extends EventType>(events: readonly InterceptionEvent[], type: T): EventOf<T>[] {
  return events.filter((event): event is EventOf<T> => event.type === type)
}
