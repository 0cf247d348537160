import { hash } from 'node:crypto'
import type { DatabaseSync } from 'node:sqlite'
import { timeOf } from '../../core/ids.ts'
import type { InterceptionStart } from '../../core/records.ts'
import { meta } from './meta.ts'
import { type RecordRows, rowWidth } from './record-rows.ts'

/** What the store was told to forget, so that it takes none of it again. All within a transaction. */
export interface Limits {
  /** Calls `changed` where another process, or a chore of ours, has set a limit or swept names. */
  load(changed: () => void): void
  /** What started before has no content, in ms; null: all may. */
  emptied(): number | null
  /** Whether anything was ever forgotten. */
  any(): boolean
  /** The interceptions of a batch whose records are not taken. */
  refused(rows: RecordRows): ReadonlySet<string>
  forget(): void
}

export function markOf(initiatorId: string): string {
  return hash('sha256', initiatorId, 'hex')
}

const nobody: ReadonlySet<string> = new Set()

export function limits(database: DatabaseSync): Limits {
  const facts = meta(database)
  const tombstone = database.prepare('SELECT before FROM tombstones WHERE initiator = ?')
  const anyTombstone = database.prepare('SELECT 1 FROM tombstones LIMIT 1')
  const isErased = database.prepare('SELECT 1 FROM erased WHERE id = ?')
  const erase = database.prepare('INSERT OR IGNORE INTO erased VALUES (?)')
  const isStored = database.prepare('SELECT 1 FROM records WHERE interception_id = ? LIMIT 1')
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

  /** What a start says settles it; where none is known, the time in the id. */
  function isRefused(id: string, start: InterceptionStart | undefined): boolean {
    if (tombstones && isErased.get(id)) return true
    if (start) {
      const at = Date.parse(start.startedAt)
      const until = tombstones ? buriedUntil(start.initiatorId) : null
      if (until !== null && at <= until) {
        erase.run(id)
        return true
      }
      if (pruned !== null && at < pruned) return true
    }
    return pruned !== null && timeOf(id) < pruned && !isStored.get(id)
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
    any: () => pruned !== null || tombstones,
    refused(rows) {
      if (pruned === null && !tombstones) return nobody
      const starts = new Map<string, InterceptionStart | undefined>()
      for (let at = 0; at < rows.length; at += rowWidth) {
        const [, id, type, , , body] = rows.slice(at, at + rowWidth)
        if (type === 'interception_start') starts.set(String(id), JSON.parse(String(body)))
        else if (!starts.has(String(id))) starts.set(String(id), undefined)
      }
      return new Set([...starts].filter(([id, start]) => isRefused(id, start)).map(([id]) => id))
    },
    forget() {
      epoch = null
    },
  }
}
