import { mergeMap } from 'rxjs'
import { ofType, type ToolCallEvent, type ToolResult } from '../core/events.ts'
import type { Plugin } from '../core/plugin.ts'
import type { RecordBody } from '../core/records.ts'

export interface ToolCallExtractorOptions {
  /** Keep what tools answered, too, not only that they did. @default false */
  readonly resultContent?: boolean
}

/** Keeps every tool call of the model as a `tool_usage`, and every result that comes back as a `tool_result`. */
export const toolCallExtractor = ({
  resultContent = false,
}: ToolCallExtractorOptions = {}): Plugin => ({
  name: 'tool-call-extractor',
  observes: ['request', 'tool_call'],
  observe: (events$) =>
    events$.pipe(
      ofType('request', 'tool_call'),
      mergeMap((event) =>
        event.type === 'tool_call'
          ? [toolUsage(event)]
          : event.toolResults.map((result) => toolResult(result, resultContent)),
      ),
    ),
})

function toolUsage({ type: _, messageId: msgId, ...call }: ToolCallEvent): RecordBody {
  return { type: 'tool_usage', msgId, ...call }
}

function toolResult({ content, ...result }: ToolResult, keep: boolean): RecordBody {
  return { type: 'tool_result', ...result, content: keep ? content : null }
}
