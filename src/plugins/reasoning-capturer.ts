import type { ReasoningEvent } from '../core/events.ts'
import type { Plugin } from '../core/plugin.ts'
import type { RecordBody } from '../core/records.ts'
import { toRecords } from '../core/to-records.ts'

/** Keeps what the model thought: one `model_thought` a block, with its response's id and its place. */
export const reasoningCapturer = (): Plugin => ({
  name: 'reasoning-capturer',
  observes: ['reasoning'],
  observe: (events$) =>
    events$.pipe(
      toRecords((event, records) => {
        if (event.type === 'reasoning') records.next(modelThought(event))
      }),
    ),
})

function modelThought({ messageId, source, index, text, redacted }: ReasoningEvent): RecordBody {
  return {
    type: 'model_thought',
    msgId: messageId,
    index,
    redacted,
    content: text,
    metadata: { source },
  }
}
