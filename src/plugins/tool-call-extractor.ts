import type { ToolCallEvent, ToolResult } from '../core/events.ts'
import type { Plugin } from '../core/plugin.ts'
import type { RecordBody } from '../core/records.ts'
import { toRecords } from '../core/to-records.ts'

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
      toRecords((event, records) => {
        if (event.type === 'tool_call') records.next(toolUsage(event))
        else if (event.type === 'request') {
          for (const result of event.toolResults) records.next(toolResult(result, resultContent))
        }
      }),
    ),
})

function toolUsage({ type: _, messageId: msgId, ...call }: ToolCallEvent): RecordBody {
  return { type: 'tool_usage', msgId, ...call }
}

function toolResult({ content, ...result }: ToolResult, keep: boolean): RecordBody {
  return { type: 'tool_result', ...result, content: keep ? content : null }
}
