import { concat, EMPTY, first, map, mergeMap, type Observable, of } from 'rxjs'
import { type InterceptionEvent, ofType, type Prompt } from '../core/events.ts'
import type { Plugin } from '../core/plugin.ts'
import type { RecordBody } from '../core/records.ts'

/** Keeps what the user asked: at most one `prompt_usage` an interception, none for a tool round. */
export const promptCapturer = (): Plugin => ({
  name: 'prompt-capturer',
  observe: (events$) =>
    events$.pipe(
      ofType('request'),
      mergeMap(({ prompt }) =>
        prompt === null
          ? EMPTY
          : // Written down at once, and again when the response's id is known.
            concat(
              of(promptUsage(prompt, '', true)),
              events$.pipe(
                firstMessageId,
                map((msgId) => promptUsage(prompt, msgId, false)),
              ),
            ),
      ),
    ),
})

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

/** The id of the first reply, or an empty one where none came. */
function firstMessageId(events$: Observable<InterceptionEvent>): Observable<string> {
  return events$.pipe(
    map((event) => ('messageId' in event ? event.messageId : '')),
    first((id) => id !== '', ''),
  )
}
