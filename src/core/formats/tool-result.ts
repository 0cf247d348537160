import type { ToolResult } from '../events.ts'
import { arrayOf, isObject, objectOf } from '../json.ts'
import { textOrJson } from './json-text.ts'

/** A tool's result as the client sent it back: plain text, or JSON text for anything else. */
export function toolResult(toolCallId: string, content: unknown, isError: boolean): ToolResult {
  const text = plainText(content) ?? textOrJson(content)
  return Object.freeze({ toolCallId, isError, bytes: Buffer.byteLength(text), content: text })
}

/** Parts that are all text, joined with a newline; undefined where any is not. */
function plainText(content: unknown): string | undefined {
  const parts = arrayOf(content)
  if (parts.length === 0 || !parts.every(isTextPart)) return undefined
  return parts.map((part) => objectOf(part).text).join('\n')
}

function isTextPart(part: unknown): boolean {
  return (
    isObject(part) &&
    typeof part.text === 'string' &&
    (part.type === 'text' || part.type === 'input_text' || part.type === 'output_text')
  )
}
