import { DatabaseSync } from 'node:sqlite'
import { isCorrupt } from './fault.ts'
import { tokenizer } from './search-query.ts'

/** Sums over the words of a text index: equal where it has the same words as often in as many texts. */
export type WordSums = readonly [occurrences: number, texts: number]

/** How many texts are indexed at once. */
const atOnce = 500

/** Gathers texts, and tells the sums that an index of them has. */
export function wordsOfTexts(): { add(text: string): void; sums(): WordSums } {
  let waiting: string[] = []
  let sums: WordSums = [0, 0]

  function flush(): void {
    const memory = new DatabaseSync(':memory:')
    try {
      memory.exec(
        `CREATE VIRTUAL TABLE texts USING fts5 (text, content = '', tokenize = '${tokenizer}');
         BEGIN`,
      )
      const put = memory.prepare('INSERT INTO texts (text) VALUES (?)')
      for (const text of waiting) put.run(text)
      memory.exec('COMMIT')
      const [occurrences, texts] = wordsOf(memory)
      sums = [add(sums[0], occurrences), add(sums[1], texts)]
      waiting = []
    } finally {
      memory.close()
    }
  }

  return {
    add(text) {
      waiting.push(text)
      if (waiting.length >= atOnce) flush()
    },
    sums() {
      flush()
      return sums
    },
  }
}

/** Whether the text index has these words, no more and no less; null: nobody knows which it should have. */
export function isIndexed(database: DatabaseSync, words: WordSums | null): boolean {
  try {
    const there = wordsOf(database)
    return words === null || (there[0] === words[0] && there[1] === words[1])
  } catch (error) {
    if (!isCorrupt(error)) throw error
    return false
  }
}

/** Of the table `texts` in a database. */
function wordsOf(database: DatabaseSync): WordSums {
  database.exec('CREATE VIRTUAL TABLE temp.words USING fts5vocab (main, texts, row)')
  try {
    let sums: WordSums = [0, 0]
    for (const { term, cnt, doc } of database.prepare('SELECT * FROM temp.words').iterate()) {
      const mark = markOf(String(term))
      sums = [add(sums[0], mark * Number(cnt)), add(sums[1], mark * Number(doc))]
    }
    return sums
  } finally {
    database.exec('DROP TABLE temp.words')
  }
}

/** FNV-1a, of 24 bits: times any count it stays a whole number. */
function markOf(word: string): number {
  let mark = 0x811c9dc5
  for (let at = 0; at < word.length; at++)
    mark = Math.imul(mark ^ word.charCodeAt(at), 0x01000193) >>> 0
  return (mark >>> 8) + 1
}

function add(a: number, b: number): number {
  return (a + b) % 2 ** 52
}
