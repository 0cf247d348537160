import type { DatabaseSync } from 'node:sqlite'
import type { Entry } from './entry.ts'
import { asNumbers, measureColumns } from './measure-columns.ts'
import { parsedOr } from './parsed-or.ts'

/** A summary as it is stored. */
export interface SummaryRow {
  readonly id: string
  readonly key: bigint
  readonly feed: number
  readonly session: number
  readonly combo: number
  readonly root: number
  readonly reaped: number
  readonly startedAt: number
  readonly endedAt: number
  readonly promptAt: number | null
  readonly measures: readonly number[]
  readonly tokenMetadata: string
  readonly tools: string
  readonly textMark: number
}

/** Where an entry goes, and the place in the feed that it has had, if any. */
export interface Place {
  readonly session: number
  readonly combo: number
  readonly feed: number | null
}

export interface SummaryRows {
  find(id: string): SummaryRow | null
  /** Whether its place in the feed is no other one's. */
  hasPlace(row: SummaryRow): boolean
  insert(entry: Entry, place: Place, toolKey: (name: string) => number): void
  remove(row: SummaryRow, keepFeed: boolean): void
  /** The transaction ended. */
  done(): void
}

const numbers = [
  ...['feed', 'session', 'combo', 'root', 'reaped', 'ended_at', 'prompt_at', 'text_mark'],
  ...measureColumns,
]

export function summaryRows(database: DatabaseSync): SummaryRows {
  const get = database.prepare(`
    SELECT CAST(key AS TEXT) AS key, key >> 20 AS started_at, token_metadata, tools,
      ${asNumbers(numbers, 'summaries')}
    FROM summaries WHERE id = ?`)
  const lastFeed = database.prepare("SELECT seq FROM sqlite_sequence WHERE name = 'feed'")
  const putFeed = database.prepare('INSERT OR REPLACE INTO feed VALUES (?, ?)')
  let fed: number | null = null
  const otherFed = database.prepare(`
    SELECT 1 FROM feed JOIN summaries ON summaries.key = feed.key
    WHERE seq = ? AND summaries.id <> ?`)
  const dropFeed = database.prepare('DELETE FROM feed WHERE (seq, key) = (?, ?)')
  const put = database.prepare(`
    INSERT INTO summaries (
      key, id, feed, session, combo, root, reaped, ended_at, prompt_at,
      ${measureColumns.join(', ')}, token_metadata, tools, text_mark
    ) VALUES (
      coalesce(
        (SELECT max(key) + 1 FROM summaries WHERE key BETWEEN ?1 << 20 AND (?1 << 20) + 1048575),
        ?1 << 20
      ),
      ${Array.from({ length: 11 + measureColumns.length }, (_, index) => `?${index + 2}`).join(', ')}
    )`)
  put.setReadBigInts(true)
  const drop = database.prepare('DELETE FROM summaries WHERE key = ?')
  const putTool = database.prepare('INSERT OR REPLACE INTO tool_uses VALUES (?, ?, ?, ?)')
  const dropTool = database.prepare(
    'DELETE FROM tool_uses WHERE tool = (SELECT key FROM names WHERE text = ?) AND key = ?',
  )
  const putText = database.prepare('INSERT INTO texts (rowid, text) VALUES (?, ?)')
  const dropText = database.prepare('DELETE FROM texts WHERE rowid = ?')

  return {
    find(id) {
      const row = get.get(id)
      return row ? rowOf(id, row) : null
    },
    hasPlace: ({ id, feed }) => feed > 0 && !otherFed.get(feed, id),
    insert(entry, { session, combo, feed }, toolKey) {
      const { summary, measures } = entry
      fed ??= Number(lastFeed.get()?.seq ?? 0)
      if (feed === null) fed++
      const seq = feed ?? fed
      const key = put.run(
        ...[entry.startedAt, summary.id, seq, session, combo, entry.root, entry.reaped],
        ...[entry.endedAt, entry.promptAt, ...measures],
        ...[entry.tokenMetadata, entry.tools, entry.textMark],
      ).lastInsertRowid
      putFeed.run(seq, key)
      for (const [tool, calls] of Object.entries(summary.tools))
        putTool.run(toolKey(tool), key, combo, calls)
      if (entry.textMark !== 0) putText.run(key, entry.text)
    },
    remove({ key, feed, tools, textMark }, keepFeed) {
      drop.run(key)
      if (!keepFeed) dropFeed.run(feed, key)
      for (const tool of Object.keys(parsedOr(tools, {}))) dropTool.run(tool, key)
      if (textMark !== 0) dropText.run(key)
    },
    done() {
      fed = null
    },
  }
}

function rowOf(id: string, row: Readonly<Record<string, unknown>>): SummaryRow {
  return {
    id,
    key: BigInt(String(row.key)),
    feed: Number(row.feed),
    session: Number(row.session),
    combo: Number(row.combo),
    root: Number(row.root),
    reaped: Number(row.reaped),
    startedAt: Number(row.started_at),
    endedAt: Number(row.ended_at),
    promptAt: row.prompt_at === null ? null : Number(row.prompt_at),
    measures: measureColumns.map((column) => Number(row[column])),
    tokenMetadata: String(row.token_metadata),
    tools: String(row.tools),
    textMark: Number(row.text_mark),
  }
}
