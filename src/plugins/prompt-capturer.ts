import type { InterceptionEvent, Prompt } from '../core/events.ts'
import type { Plugin } from '../core/plugin.ts'
import type { RecordBody } from '../core/records.ts'
import { toRecords } from '../core/to-records.ts'

/** Keeps what the user asked: at most one `prompt_usage` an interception, none for a tool round. */
export const promptCapturer = (): Plugin => ({
  name: 'prompt-capturer',
  observes: ['request', 'text', 'reasoning', 'tool_call', 'usage'],
  observe: (events$) => {
    let prompt: Prompt | null = null
    return events$.pipe(
      // Written down at the request, and again when the response's id is known or will never be.
      toRecords((event, records) => {
        if (event.type === 'request') {
          prompt = event.prompt
          if (prompt) records.next(promptUsage(prompt, '', true))
          else records.complete()
          return
        }
        const msgId = messageIdOf(event)
        if (msgId === '' && event.type !== 'end') return
        if (prompt) records.next(promptUsage(prompt, msgId, false))
        records.complete()
      }),
    )
  },
})

function messageIdOf(event: InterceptionEvent): string {
  return 'messageId' in event ? event.messageId : ''
}

function promptUsage({ text, raw }: Prompt, msgId: string, provisional: boolean): RecordBody {
  return {
    type: 'prompt_usage',
    key: 'prompt',
    provisional,
    msgId,
    prompt: text,
    rawPrompt: raw,
    metadata: {},
  }
}
