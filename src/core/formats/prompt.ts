import type { Prompt } from '../events.ts'

/**
 * The user's prompt among the text blocks of their last message, or null. Blocks that are wholly one
 * element of the client's own are dropped; of the rest the last one is taken, or all are joined.
 */
export function promptOf(texts: readonly string[], take: 'last' | 'all'): Prompt | null {
  const own = texts.filter((text) => !isWrapping(text))
  const last = own.at(-1)
  if (last === undefined) return null
  const raw = take === 'last' ? last : own.join('\n')
  return { text: raw.replace(leadingDate, ''), raw }
}

/** True for a text that, less outer white space, is one whole element which the client put there. */
export function isWrapping(text: string): boolean {
  const trimmed = text.trim()
  const name = /^<(system-reminder|environment_details|environment_context)[\s>]/.exec(trimmed)?.[1]
  if (name === undefined || !trimmed.endsWith(`</${name}>`)) return false
  // Two elements with the user's words between them begin and end alike: look for an earlier end.
  let depth = 0
  for (const tag of trimmed.matchAll(new RegExp(`<(/?)${name}[^<>]*>`, 'g'))) {
    depth += tag[1] === '/' ? -1 : 1
    if (depth === 0) return tag.index + tag[0].length === trimmed.length
  }
  return true
}

const leadingDate = /^<current_datetime>[\s\S]*?<\/current_datetime>\s*/
