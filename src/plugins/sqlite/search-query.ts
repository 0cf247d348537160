/**
 * What a person typed as an expression of FTS5 in which nothing is syntax: words and phrases, all of which must
 * occur. Null where there is no word in it: then nothing is found.
 */
export function searchQuery(search: string): string | null {
  const terms = [...search.matchAll(/"([^"]*)"|[^\s"]+/gu)]
    .map(([term, quoted]) => searchable(quoted ?? term).match(/[\p{L}\p{N}\p{M}]+/gu) ?? [])
    .filter((words) => words.length > 0)
    .map((words) => `"${words.join(' ')}"`)
  return terms.length === 0 ? null : [...new Set(terms)].slice(0, maxTerms).join(' ')
}

/** A text as the index takes it: composed, and in the lower case of JavaScript, which knows more than the index's. */
export function searchable(text: string): string {
  return text.normalize('NFC').toLowerCase()
}

/** What the index takes for a word: letters, numbers, marks; and what keeps texts apart. */
export const tokenizer = "unicode61 remove_diacritics 0 categories ''L* N* M* Co''"

/** What nobody types is cut: each term costs. */
const maxTerms = 64
