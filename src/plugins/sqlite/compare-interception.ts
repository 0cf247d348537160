import type { DatabaseSync } from 'node:sqlite'
import { offeredKeys } from '../../core/links.ts'
import type { StoredInterception } from '../../core/recorder.ts'
import { type Summary, summaryOf } from '../../core/summary.ts'
import { type Entry, entryOf } from './entry.ts'
import { linker } from './linker.ts'
import type { Salvage } from './salvage.ts'
import { isSameSummary } from './same-summary.ts'
import { startColumns, startValues } from './start-writer.ts'
import { type SummaryRow, summaryRows } from './summary-rows.ts'

/** What of an interception may differ from its records. */
export type Part = 'begun' | 'ended' | 'links' | 'summary' | 'offers' | 'tools'

/** Compares what is derived of an interception alone with what its records give. */
export function interceptionComparison(database: DatabaseSync, salvaged: Salvage) {
  const rowOf = database.prepare('SELECT * FROM interceptions WHERE id = ?')
  const linking = linker(database, salvaged)
  const summaries = summaryRows(database)
  const offer = database.prepare(
    'SELECT 1 FROM offers WHERE (initiator_id, key, started_at, interception_id) = (?, ?, ?, ?)',
  )
  const use = database.prepare(`
    SELECT 1 FROM names JOIN tool_uses ON tool = names.key
    WHERE text = ? AND tool_uses.key = CAST(? AS INTEGER) AND combo = ? AND calls = ?`)
  const sessionOf = database.prepare('SELECT key FROM sessions WHERE id = ? AND initiator_id = ?')
  const comboOf = database.prepare(`
    SELECT key FROM combos WHERE
      initiator = (SELECT key FROM initiators WHERE (id, username) = (?, ?))
      AND provider = (SELECT key FROM names WHERE text = ?)
      AND provider_name = (SELECT key FROM names WHERE text = ?)
      AND model = (SELECT key FROM names WHERE text = ?)
      AND client = (SELECT key FROM names WHERE text = ?)
      AND outcome = (SELECT key FROM names WHERE text = ?)`)
  const expected = { offers: 0, uses: 0 }

  function isBegun({ start }: StoredInterception, row: Row): boolean {
    const values = startValues(start)
    return startColumns.every((column, at) => row[column] === values[at])
  }

  function isEnded(stored: StoredInterception | null, row: Row): boolean {
    const end = stored?.end
    if (!end) return row.ended === 0 || !stored
    return (
      row.ended === 1 &&
      row.ended_at === Date.parse(end.endedAt) &&
      row.outcome === end.outcome &&
      row.reaped === Number(end.reaped ?? false)
    )
  }

  function isSummed(row: SummaryRow | null, entry: Entry | null): boolean {
    if (!row || !entry) return !row && !entry
    const { summary } = entry
    const session = sessionOf.get(summary.sessionId, summary.initiatorId)?.key
    return isSameSummary(row, entry, Number(session), Number(comboOf.get(...partsOf(summary))?.key))
  }

  /** Each that should be there is counted: what there is more of is too much. */
  function isOffered({ id, start, toolUsages }: StoredInterception): boolean {
    const at = Date.parse(start.startedAt)
    const calls = toolUsages.map(({ toolCallId }) => toolCallId)
    const keys = new Set(offeredKeys(start, calls))
    expected.offers += Math.max(keys.size, linking.keptOffers(id))
    return [...keys].every((key) => offer.get(start.initiatorId, key, at, id))
  }

  function isUsed(row: SummaryRow | null, entry: Entry | null): boolean {
    const tools = Object.entries(entry?.summary.tools ?? {})
    expected.uses += tools.length
    return tools.every(([tool, calls]) => row && use.get(tool, String(row.key), row.combo, calls))
  }

  return {
    /** What is wrong, and the text by which it is to be found. */
    compare(id: string, stored: StoredInterception | null): { wrong: Part[]; text: string } {
      const wrong: Part[] = []
      const expect = (part: Part, isRight: () => boolean) => {
        if (!safely(isRight)) wrong.push(part)
      }
      const row: Row = orNothing(() => rowOf.get(id))
      expect('begun', () => (stored ? isBegun(stored, row) : (row.started_at ?? null) === null))
      expect('ended', () => isEnded(stored, row))
      expect('links', () => !stored || linking.isLinked(id))
      expect('offers', () => !stored || isOffered(stored))
      const linked = stored && { ...stored, start: { ...stored.start, ...linksIn(row) } }
      const summary = linked && summaryOf(linked)
      const entry = linked && summary && entryOf(linked, summary)
      let found: SummaryRow | null = null
      expect('summary', () => {
        found = summaries.find(id)
        return isSummed(found, entry)
      })
      expect('tools', () => isUsed(found, entry))
      return { wrong, text: entry?.text ?? '' }
    },
    expected: () => ({ ...expected }),
  }
}

type Row = Readonly<Record<string, unknown>>

function linksIn(row: Row) {
  return {
    threadParentId: row.thread_parent_id as string | null,
    threadRootId: row.thread_root_id as string | null,
    sessionId: String(row.session_id),
  }
}

function partsOf(summary: Summary): string[] {
  const { initiatorId, initiatorUsername, provider, providerName, model, client, outcome } = summary
  return [initiatorId, initiatorUsername, provider, providerName, model, client, outcome]
}

/** What cannot even be read is wrong. */
function safely(isRight: () => boolean): boolean {
  try {
    return isRight()
  } catch {
    return false
  }
}

function orNothing(read: () => Row | undefined): Row {
  try {
    return read() ?? {}
  } catch {
    return {}
  }
}
