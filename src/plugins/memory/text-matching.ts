import type { StoredInterception } from '../../core/recorder.ts'

/**
 * Tells which interceptions a text search finds: all its terms occur, each in one text, as whole words side by
 * side. A search without a word finds nothing.
 */
export function textMatching(search: string): (stored: StoredInterception) => boolean {
  const phrases = terms(search)
    .map(wordsOf)
    .filter((words) => words.length > 0)
    .map(joined)
  if (phrases.length === 0) return () => false
  return (stored) => {
    const texts = textsOf(stored).map((text) => joined(wordsOf(text)))
    return phrases.every((phrase) => texts.some((text) => text.includes(phrase)))
  }
}

/** What is between quotes is one term, what is not is split at blanks; a quote that stays open is a blank. */
function terms(search: string): string[] {
  return [...search.matchAll(/"([^"]*)"|[^\s"]+/gu)].map(([term, quoted]) => quoted ?? term)
}

function wordsOf(text: string): string[] {
  return (
    text
      .normalize('NFC')
      .toLowerCase()
      .match(/[\p{L}\p{N}\p{M}]+/gu) ?? []
  )
}

function joined(words: readonly string[]): string {
  return ` ${words.join(' ')} `
}

function textsOf({ userPrompts, toolUsages, modelThoughts }: StoredInterception): string[] {
  return [
    ...userPrompts.map(({ prompt }) => prompt),
    ...toolUsages.flatMap(({ tool, input }) => [tool, input]),
    ...modelThoughts.map(({ content }) => content),
  ]
}
