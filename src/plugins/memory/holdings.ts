import { hangsOn, type Links, linkAll } from '../../core/links.ts'
import type { StoredInterception } from '../../core/recorder.ts'
import type { InterceptionRecord, RecordOf } from '../../core/records.ts'
import {
  isReaped,
  newestFirst,
  replaces,
  storedInterception,
} from '../../core/stored-interception.ts'
import { Places } from './places.ts'

/** The records of one interception. */
export interface Entry {
  readonly id: string
  readonly records: Map<string, InterceptionRecord>
  start: RecordOf<'interception_start'> | null
  end: RecordOf<'interception_end'> | null
  /** Its links when what it hung on was forgotten: they stay. */
  kept: Links | null
  /** Put together, as long as nothing new comes. */
  plain: StoredInterception | null
  /** The same with its links, as long as neither changes. */
  linked: StoredInterception | null
}

/** All that is held, by interception, the first to come first. */
export class Holdings {
  readonly places: Places = new Places()
  readonly #entries = new Map<string, Entry>()
  #all: readonly StoredInterception[] | null = null

  get size(): number {
    return this.#entries.size
  }

  entries(): IterableIterator<Entry> {
    return this.#entries.values()
  }

  entry(id: string): Entry | undefined {
    return this.#entries.get(id)
  }

  put(record: InterceptionRecord): void {
    const entry = this.#entryFor(record.interceptionId)
    const earlier = entry.records.get(record.id) ?? null
    if (!replaces(record, earlier)) return
    // Where a reaper put its end says nothing of the owner's.
    const kept =
      earlier && !isReaped(earlier) ? { ...record, seq: Math.min(earlier.seq, record.seq) } : record
    this.#keep(entry, kept)
    if (!entry.start || !entry.end) return
    if (earlier && isReaped(earlier) && !isReaped(record)) this.places.move(entry.id)
    else this.places.give(entry.id)
  }

  /** A record that is held changes in place. */
  change(entry: Entry, change: (record: InterceptionRecord) => InterceptionRecord): boolean {
    let changed = false
    for (const record of entry.records.values()) {
      const after = change(record)
      if (after === record) continue
      this.#keep(entry, after)
      changed = true
    }
    return changed
  }

  remove(id: string): void {
    this.places.take(id)
    if (this.#entries.delete(id)) this.#all = null
  }

  /** What hung on them keeps its links. */
  removeAll(ids: ReadonlySet<string>): void {
    this.all()
    // Nothing hangs on one whose start never came.
    const begun = new Set([...ids].filter((id) => this.#entries.get(id)?.start))
    for (const id of ids) this.remove(id)
    for (const entry of this.#entries.values()) {
      const start = entry.linked?.start
      if (start && hangsOn(begun, start, start)) entry.kept = start
    }
  }

  /** All that have a start, with their links, the newest first. */
  all(): readonly StoredInterception[] {
    this.#all ??= this.#linked().sort(newestFirst)
    return this.#all
  }

  one(id: string): StoredInterception | null {
    this.all()
    return this.#entries.get(id)?.linked ?? null
  }

  #entryFor(id: string): Entry {
    let entry = this.#entries.get(id)
    if (!entry) {
      entry = {
        id,
        records: new Map(),
        start: null,
        end: null,
        kept: null,
        plain: null,
        linked: null,
      }
      this.#entries.set(id, entry)
    }
    return entry
  }

  #keep(entry: Entry, record: InterceptionRecord): void {
    entry.records.set(record.id, record)
    if (record.type === 'interception_start') entry.start = record
    if (record.type === 'interception_end') entry.end = record
    entry.plain = null
    entry.linked = null
    this.#all = null
  }

  #linked(): StoredInterception[] {
    const begun = [...this.#entries.values()].filter(({ start }) => start !== null)
    for (const entry of begun) entry.plain ??= storedInterception([...entry.records.values()])
    const links = linkAll(
      begun.flatMap(({ plain, kept }) =>
        plain
          ? {
              id: plain.id,
              start: plain.start,
              toolCallIds: plain.toolUsages.map(({ toolCallId }) => toolCallId),
              kept,
            }
          : [],
      ),
    )
    return begun.map((entry) => withLinks(entry, links.get(entry.id))).filter((each) => !!each)
  }
}

function withLinks(entry: Entry, links: Links | undefined): StoredInterception | null {
  const { plain, linked } = entry
  if (!plain || !links) return null
  if (linked && sameLinks(linked.start, links)) return linked
  entry.linked = { ...plain, start: { ...plain.start, ...links } }
  return entry.linked
}

function sameLinks(a: Links, b: Links): boolean {
  return (
    a.threadParentId === b.threadParentId &&
    a.threadRootId === b.threadRootId &&
    a.sessionId === b.sessionId
  )
}
