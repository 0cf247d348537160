import { messageTools } from '../formats/anthropic-messages/tools.ts'
import { chatTools } from '../formats/openai-chat/tools.ts'
import { responseTools } from '../formats/openai-responses/tools.ts'
import type { FormatName } from '../records.ts'
import type { ToolDialect } from './dialect.ts'

export const dialects: Readonly<Record<FormatName, ToolDialect>> = {
  anthropic_messages: messageTools,
  openai_chat: chatTools,
  openai_responses: responseTools,
}
