/** A longer one is cut, in texts and in what is looked for alike. */
const longest = 64

/** The words of a text, in order: runs of letters and digits of any script, in lower case. */
export function wordsIn(text: string): string[] {
  const found =
    text
      .normalize('NFC')
      .toLowerCase()
      .match(/[\p{L}\p{M}\p{N}]+/gu) ?? []
  return found.map((word) => (word.length > longest ? word.slice(0, longest) : word))
}

/** What is looked for: words that stand side by side, each such run anywhere. */
export function searchedRuns(search: string): string[][] {
  const parts = search.match(/"[^"]*"?|[^\s"]+/gu) ?? []
  return parts.map(wordsIn).filter((run) => run.length > 0)
}
