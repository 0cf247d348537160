import { defer, filter, mergeMap, tap } from 'rxjs'
import type { InterceptionEvent } from '../core/events.ts'
import type { Plugin } from '../core/plugin.ts'
import type { RecordBody } from '../core/records.ts'

export interface AnswersOptions {
  /** In bytes of UTF-8: what is longer is cut there, and marked. @default 1 MiB */
  readonly maxBytes?: number
}

/** Keeps what the model answered in words, as far as it came: an `answer` for each choice of each reply. */
export const answers = ({ maxBytes = 1024 ** 2 }: AnswersOptions = {}): Plugin => ({
  name: 'answers',
  observe: (events$) =>
    defer(() => {
      const texts: GrowingText[] = []
      return events$.pipe(
        tap((event) => collect(texts, event, maxBytes)),
        filter(({ type }) => type === 'end'),
        mergeMap(() => texts.filter(({ bytes }) => bytes > 0).map(answer)),
      )
    }),
})

interface GrowingText {
  /** Empty while the reply has not said it. */
  msgId: string
  readonly choice: number
  readonly parts: string[]
  /** Of all of it. */
  bytes: number
  cut: boolean
}

function collect(texts: GrowingText[], event: InterceptionEvent, maxBytes: number): void {
  if (event.type !== 'text') return
  const { messageId, choice, text } = event
  let grown = texts.findLast((each) => each.choice === choice)
  if (!grown || (grown.msgId !== '' && messageId !== '' && grown.msgId !== messageId)) {
    grown = { msgId: '', choice, parts: [], bytes: 0, cut: false }
    texts.push(grown)
  }
  grown.msgId ||= messageId
  const room = maxBytes - grown.bytes
  const bytes = Buffer.byteLength(text)
  grown.bytes += bytes
  if (grown.cut) return
  grown.cut = bytes > room
  grown.parts.push(grown.cut ? beginning(text, room) : text)
}

/** As many whole characters as fit. */
function beginning(text: string, maxBytes: number): string {
  const { read } = new TextEncoder().encodeInto(text, new Uint8Array(Math.max(0, maxBytes)))
  return text.slice(0, read)
}

function answer({ msgId, choice, parts, bytes, cut }: GrowingText, index: number): RecordBody {
  return {
    type: 'answer',
    key: String(index),
    msgId,
    choice,
    bytes,
    text: parts.join(''),
    ...(cut && { truncated: ['text'] }),
  }
}
