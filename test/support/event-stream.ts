import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import { createParser, type EventSourceMessage } from 'eventsource-parser'

export interface EventStream {
  readonly reply: IncomingMessage
  readonly comments: string[]
  /** The next one, as soon as it comes. Rejects where the stream ended before. */
  next(): Promise<EventSourceMessage>
  /** Reads nothing more until `resume`. */
  stall(): void
  resume(): void
  readonly ended: Promise<void>
  leave(): void
}

/** Follows server-sent events over a socket of its own. */
export async function eventStream(
  url: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<EventStream> {
  const asked = request(url, { headers, agent: false }).end()
  const [reply] = (await once(asked, 'response')) as [IncomingMessage]
  const events: EventSourceMessage[] = []
  const comments: string[] = []
  let wake = () => {}
  const parser = createParser({
    onEvent: (event) => {
      events.push(event)
      wake()
    },
    onComment: (comment) => comments.push(comment),
  })
  reply.setEncoding('utf8')
  reply.on('data', (text: string) => parser.feed(text))
  const ended = new Promise<void>((resolve) => reply.once('close', resolve))
  let over = false
  reply.on('error', () => {})
  void ended.then(() => {
    over = true
    wake()
  })
  return {
    reply,
    comments,
    ended,
    async next() {
      while (events.length === 0) {
        if (over) throw new Error('the stream has ended')
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
      return events.shift() as EventSourceMessage
    },
    stall: () => reply.pause(),
    resume: () => reply.resume(),
    leave: () => asked.destroy(),
  }
}
