import { hash } from 'node:crypto'
import type { DatabaseSync } from 'node:sqlite'
import { timeOf } from '../../core/ids.ts'
import { dropContent } from '../../core/record-content.ts'
import type { InterceptionRecord, InterceptionStart } from '../../core/records.ts'
import { meta } from './meta.ts'
import { bodyText, type RecordRows, rowWidth } from './record-rows.ts'

/** What the store was told to forget, so that it takes none of it again. All within a transaction. */
export interface Limits {
  /** Calls `changed` where another process, or a chore of ours, has set a limit or swept names. */
  load(changed: () => void): void
  /** What started before has no content, in ms; null: all may. */
  emptied(): number | null
  /** The records of a batch that may be stored, as they may be stored. */
  admit(rows: RecordRows): RecordRows
  /** Interceptions of which the last batch told that they are to be forgotten. */
  orphaned(): string[]
  forget(): void
}

/** What is taken of an interception's records. */
interface Standing {
  readonly all: boolean
  readonly start: boolean
  readonly wordless: boolean
}

export function markOf(initiatorId: string): string {
  return hash('sha256', initiatorId, 'hex')
}

export function limits(database: DatabaseSync): Limits {
  const facts = meta(database)
  const tombstone = database.prepare('SELECT before FROM tombstones WHERE initiator = ?')
  const anyTombstone = database.prepare('SELECT 1 FROM tombstones LIMIT 1')
  const isErased = database.prepare('SELECT 1 FROM erased WHERE id = ?')
  const erase = database.prepare('INSERT OR IGNORE INTO erased VALUES (?)')
  const isStored = database.prepare('SELECT 1 FROM records WHERE interception_id = ? LIMIT 1')
  const storedStart = database.prepare('SELECT started_at FROM interceptions WHERE id = ?')
  const orphaned: string[] = []
  const buried = new Map<string, number | null>()
  let epoch: string | null = null
  let pruned: number | null = null
  let emptied: number | null = null
  let tombstones = false

  function buriedUntil(initiatorId: string): number | null {
    let before = buried.get(initiatorId)
    if (before === undefined) {
      const found = tombstone.get(markOf(initiatorId))?.before
      before = found === undefined ? null : Number(found)
      buried.set(initiatorId, before)
    }
    return before
  }

  /** What the batch, or else the store, knows of an interception. */
  function standing(id: string, start: InterceptionStart | null): Standing {
    if (tombstones && isErased.get(id)) return { all: false, start: false, wordless: false }
    const begun = start && Date.parse(start.startedAt)
    const stored = storedStart.get(id)?.started_at
    // What is stored stays until it has ended, and may be told again.
    const isOld = begun !== null && pruned !== null && begun < pruned
    const isLate = isOld && typeof stored !== 'number'
    const until = start && !isLate && tombstones ? buriedUntil(start.initiatorId) : null
    if (until !== null && begun !== null && begun <= until) {
      erase.run(id)
      orphaned.push(id)
      return { all: false, start: false, wordless: false }
    }
    const isKnown = (begun !== null && !isLate) || stored !== undefined || isStored.get(id)
    const time = typeof stored === 'number' ? stored : isLate ? null : begun
    return {
      all: Boolean(isKnown) || pruned === null || !(timeOf(id) < pruned),
      start: !isLate,
      wordless: emptied !== null && (time ?? timeOf(id)) < emptied,
    }
  }

  return {
    load(changed) {
      const now = facts.text('epoch')
      if (now === epoch) return
      epoch = now
      pruned = facts.number('pruned')
      emptied = facts.number('emptied')
      tombstones = anyTombstone.get() !== undefined
      buried.clear()
      changed()
    },
    emptied: () => emptied,
    admit(rows) {
      if (pruned === null && emptied === null && !tombstones) return rows
      const starts = new Map<string, InterceptionStart | null>()
      for (let at = 0; at < rows.length; at += rowWidth) {
        const id = String(rows[at + 1])
        if (rows[at + 2] === 'interception_start') starts.set(id, JSON.parse(String(rows[at + 5])))
        else if (!starts.has(id)) starts.set(id, null)
      }
      const standings = new Map([...starts].map(([id, start]) => [id, standing(id, start)]))
      const admitted: (string | number)[] = []
      for (let at = 0; at < rows.length; at += rowWidth) {
        const row = rows.slice(at, at + rowWidth)
        const { all, start, wordless } = standings.get(String(row[1])) as Standing
        if (!all || (row[2] === 'interception_start' && !start)) continue
        admitted.push(...(wordless ? withoutContent(row) : row))
      }
      return admitted
    },
    orphaned: () => orphaned.splice(0),
    forget() {
      orphaned.length = 0
      epoch = null
    },
  }
}

function withoutContent(row: RecordRows): RecordRows {
  const [id, interception, type, seq, createdAt, body] = row
  const record = { ...(JSON.parse(String(body)) as object), type } as InterceptionRecord
  const emptied = dropContent(record)
  if (emptied === record) return row
  return [id, interception, type, seq, createdAt, bodyText(emptied)] as RecordRows
}
