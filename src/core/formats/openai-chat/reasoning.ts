import { arrayOf, type JsonObject, objectOf } from '../../json.ts'

/** The reasoning in a delta or message of a vendor that has it; OpenAI itself has none in Chat. */
export function readReasoning(message: JsonObject): string {
  for (const name of names) {
    const text = message[name]
    // Vendors that fill two of these fill them with the same text.
    if (typeof text === 'string' && text !== '') return text
  }
  if (Array.isArray(message.reasoning_details)) return detailsText(message.reasoning_details)
  return Array.isArray(message.content) ? thinkingText(message.content) : ''
}

/** DeepSeek, Qwen, Kimi and most others; vLLM, OpenRouter and Groq; GitHub Copilot. */
const names: readonly string[] = ['reasoning_content', 'reasoning', 'reasoning_text']

/** OpenRouter, where the plain text is left out. */
function detailsText(details: readonly unknown[]): string {
  return details
    .map(objectOf)
    .map(({ text, summary }) => text ?? summary)
    .filter((text) => typeof text === 'string')
    .join('')
}

/** Mistral: `content: [{type: 'thinking', thinking: [{type: 'text', text}]}, …]`. */
function thinkingText(content: readonly unknown[]): string {
  return content
    .map(objectOf)
    .filter(({ type }) => type === 'thinking')
    .flatMap(({ thinking }) =>
      typeof thinking === 'string'
        ? thinking
        : arrayOf(thinking).map((part) => objectOf(part).text),
    )
    .filter((text) => typeof text === 'string')
    .join('')
}
