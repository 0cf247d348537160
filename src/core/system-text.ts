import { arrayOf, isObject, objectOf, stringOf } from './json.ts'

const limit = 4096
const leadingItems = 4

/**
 * The first 4,096 characters of the system prompt, whichever way a format words it: `system`,
 * `instructions`, or leading messages of the role system or developer. Cheap whatever the body's size.
 */
export function systemText(body: unknown): string {
  const { system, instructions, messages, input } = objectOf(body)
  const parts = [system, instructions]
  for (const item of [...firstOf(messages), ...firstOf(input)]) {
    const { role, content } = objectOf(item)
    if (role === 'system' || role === 'developer') parts.push(content)
  }
  let text = ''
  for (const part of parts.flatMap(blockTexts)) {
    if (text.length >= limit) break
    text += `${part.slice(0, limit - text.length)}\n`
  }
  return text
}

function firstOf(list: unknown): readonly unknown[] {
  return arrayOf(list).slice(0, leadingItems)
}

/** Content is a string, or a list of blocks with a text each. */
function blockTexts(content: unknown): readonly string[] {
  if (typeof content === 'string') return [content]
  return firstOf(content).flatMap((block) => (isObject(block) ? (stringOf(block.text) ?? []) : []))
}
