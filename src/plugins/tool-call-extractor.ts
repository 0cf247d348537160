import { map, merge, mergeMap } from 'rxjs'
import { ofType } from '../core/events.ts'
import type { Plugin } from '../core/plugin.ts'

export interface ToolCallExtractorOptions {
  /** Keep what tools answered, too, not only that they did. @default false */
  readonly resultContent?: boolean
}

/** Keeps every tool call of the model as a `tool_usage`, and every result that comes back as a `tool_result`. */
export const toolCallExtractor = ({
  resultContent = false,
}: ToolCallExtractorOptions = {}): Plugin => ({
  name: 'tool-call-extractor',
  observe: (events$) =>
    merge(
      events$.pipe(
        ofType('request'),
        mergeMap(({ toolResults }) => toolResults),
        map(({ content, ...result }) => ({
          type: 'tool_result' as const,
          ...result,
          content: resultContent ? content : null,
        })),
      ),
      events$.pipe(
        ofType('tool_call'),
        map(({ type: _, messageId: msgId, ...call }) => ({
          type: 'tool_usage' as const,
          msgId,
          ...call,
        })),
      ),
    ),
})
