import type { StoredInterception } from '../../core/recorder.ts'
import { searchable } from './search-query.ts'

/** No phrase reaches from one text into the next: a character of private use is a word to the index. */
const border = ' \uE000 '

/** How much of one text, and of an interception's texts, can be found, in characters. */
const maxText = 256 * 1024
const maxTexts = 1024 * 1024

/** What of an interception can be searched: its prompts, names and inputs of tools, and reasoning. */
export function searchText({ userPrompts, toolUsages, modelThoughts }: StoredInterception): string {
  const texts = [
    ...userPrompts.map(({ prompt }) => prompt),
    ...toolUsages.flatMap(({ tool, input }) => [tool, input]),
    ...modelThoughts.map(({ content }) => content),
  ].filter((text) => typeof text === 'string' && text !== '')
  const joined = texts.map((text) => text.slice(0, maxText)).join(border)
  return searchable(joined.slice(0, maxTexts))
}
