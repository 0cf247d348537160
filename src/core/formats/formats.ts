import type { Format } from '../format.ts'
import type { FormatName } from '../records.ts'
import { anthropicMessages } from './anthropic-messages/format.ts'
import { openaiChat } from './openai-chat/format.ts'
import { openaiResponses } from './openai-responses/format.ts'

/** The wire APIs that are read. */
export const formats: Readonly<Record<FormatName, Format>> = {
  anthropic_messages: anthropicMessages,
  openai_chat: openaiChat,
  openai_responses: openaiResponses,
}
