import { filter, scan, take } from 'rxjs'
import type { InterceptionEvent, Prompt } from '../core/events.ts'
import type { Plugin } from '../core/plugin.ts'
import type { RecordBody } from '../core/records.ts'

/** Keeps what the user asked: at most one `prompt_usage` an interception, none for a tool round. */
export const promptCapturer = (): Plugin => ({
  name: 'prompt-capturer',
  observes: ['request', 'text', 'reasoning', 'tool_call', 'usage'],
  observe: (events$) =>
    events$.pipe(
      // Written down at the request, and again when the response's id is known or will never be.
      filter(
        (event) => event.type === 'request' || event.type === 'end' || messageIdOf(event) !== '',
      ),
      take(2),
      scan<InterceptionEvent, RecordBody | null>(
        (written, event) =>
          event.type === 'request'
            ? event.prompt && promptUsage(event.prompt)
            : written && { ...written, msgId: messageIdOf(event), provisional: false },
        null,
      ),
      filter((record) => record !== null),
    ),
})

function messageIdOf(event: InterceptionEvent): string {
  return 'messageId' in event ? event.messageId : ''
}

function promptUsage({ text, raw }: Prompt): RecordBody {
  return {
    type: 'prompt_usage',
    key: 'prompt',
    provisional: true,
    msgId: '',
    prompt: text,
    rawPrompt: raw,
    metadata: {},
  }
}
