import type { StoredInterception } from '../../core/recorder.ts'
import type { Facets } from './facets.ts'
import { wordsIn } from './words.ts'

/** What of one interception can be searched, and the newest prompt of a person. */
export interface TextDocument extends Partial<Facets> {
  readonly _id: string
  readonly rev: number
  /** Each once. */
  readonly words?: readonly string[]
  /** All of them in order, for phrases: with a space before and behind each; a line for each text. */
  readonly text?: string
  readonly prompt?: string
}

/** No more different words of one interception are found, and phrases not behind so many characters. */
const wordLimit = 5000
const textLimit = 256 * 1024

export function searchable(
  stored: StoredInterception,
): Required<Pick<TextDocument, 'words' | 'text'>> {
  const words = new Set<string>()
  const lines: string[] = []
  let length = 0
  for (const text of textsOf(stored)) {
    const found = wordsIn(text)
    const line = found.length > 0 ? ` ${found.join(' ')} ` : ''
    if (line !== '' && length < textLimit) lines.push(line.slice(0, textLimit - length))
    length += line.length
    for (const word of found) if (words.size < wordLimit) words.add(word)
    if (length >= textLimit && words.size >= wordLimit) break
  }
  return { words: [...words], text: lines.join('\n') }
}

function textsOf({ userPrompts, toolUsages, modelThoughts }: StoredInterception): string[] {
  return [
    ...userPrompts.map(({ prompt }) => prompt),
    ...toolUsages.map(({ tool }) => tool),
    ...toolUsages.map(({ input }) => input),
    ...modelThoughts.map(({ content }) => content),
  ]
}
