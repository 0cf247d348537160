import type { DatabaseSync } from 'node:sqlite'
import { isIndexed, type WordSums } from './indexed-words.ts'
import type { Wrong } from './verify.ts'

/** Looks for what lies beside interceptions and has none, or lacks: rows, texts, places in the feed. */
export function verifyMarks(database: DatabaseSync, words: WordSums | null): Wrong[] {
  const count = (sql: string) =>
    Number(database.prepare(`SELECT count(*) AS n FROM ${sql}`).get()?.n)
  return [
    [
      count(`interceptions WHERE NOT EXISTS (
        SELECT 1 FROM records WHERE interception_id = interceptions.id)`),
      'interceptions are known of which nothing is stored',
    ],
    [
      count(`summaries WHERE NOT EXISTS (
        SELECT 1 FROM records WHERE interception_id = summaries.id)`),
      'interceptions are listed of which nothing is stored',
    ],
    [
      count(`summaries WHERE text_mark <> 0 AND NOT EXISTS (
        SELECT 1 FROM texts_docsize WHERE texts_docsize.id = summaries.key)`),
      'interceptions are missing in the text index',
    ],
    [
      count(`texts_docsize WHERE NOT EXISTS (
        SELECT 1 FROM summaries WHERE summaries.key = texts_docsize.id AND text_mark <> 0)`),
      'texts in the index are of no interception',
    ],
    [
      Number(!isIndexed(database, words)),
      'text index has other words than the records: search finds too much or too little',
    ],
    [
      count(`summaries WHERE NOT EXISTS (
        SELECT 1 FROM feed WHERE seq = summaries.feed AND feed.key = summaries.key)`),
      'interceptions have no place in the feed',
    ],
    [
      count(`feed WHERE NOT EXISTS (
        SELECT 1 FROM summaries WHERE summaries.key = feed.key AND feed = seq)`),
      'places in the feed are of no interception',
    ],
    [
      count(`feed WHERE seq > (
        SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'feed')`),
      'places in the feed would be given twice',
    ],
  ]
}
