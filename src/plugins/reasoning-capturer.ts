import { map } from 'rxjs'
import { ofType } from '../core/events.ts'
import type { Plugin } from '../core/plugin.ts'

/** Keeps what the model thought: one `model_thought` a block, with its response's id and its place. */
export const reasoningCapturer = (): Plugin => ({
  name: 'reasoning-capturer',
  observes: ['reasoning'],
  observe: (events$) =>
    events$.pipe(
      ofType('reasoning'),
      map(({ messageId, source, index, text, redacted }) => ({
        type: 'model_thought' as const,
        msgId: messageId,
        index,
        redacted,
        content: text,
        metadata: { source },
      })),
    ),
})
