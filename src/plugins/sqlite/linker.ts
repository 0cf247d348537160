import type { DatabaseSync } from 'node:sqlite'
import {
  callKey,
  keeping,
  type LinkingStart,
  type Links,
  linksOf,
  maxAge,
  offeredKeys,
  type Relative,
  wantedKey,
} from '../../core/links.ts'
import type { InterceptionStart } from '../../core/records.ts'
import type { Salvage } from './salvage.ts'
import { storedStart } from './stored-start.ts'

/** Is told of what is written, and links it before the transaction ends. */
export interface Linker {
  /** Before a start is written: what an earlier one said no longer holds. True where nothing is stored yet. */
  starting(id: string): boolean
  started(id: string, start: InterceptionStart, isNew: boolean): void
  called(id: string, toolCallId: string): void
  /** Whether it hangs where it should by what is stored. */
  isLinked(id: string): boolean
  /** Makes one's links anew. */
  loosen(id: string): void
  /** How many offers one has whose calls cannot all be read: none of them is dropped. */
  keptOffers(id: string): number
  /** Drops an offer that its interception did not make. */
  examine(offer: Offer): void
  /** Brings the links of all that was touched up to date, and of what hangs below; tells whose have changed. */
  link(changed: (id: string) => void): void
  /** One is about to be deleted: what hangs below keeps its links. */
  drop(id: string): void
  /** The transaction was rolled back. */
  forget(): void
}

/** A row of `offers`. */
export interface Offer {
  readonly initiator_id: string
  readonly key: string
  readonly started_at: number
  readonly interception_id: string
}

/**
 * Interceptions that made calls (`offers`) and those that answer one (`wanted_key`) find each other through an
 * index each, whichever comes first.
 */
export function linker(database: DatabaseSync, salvaged: Salvage): Linker {
  const { find, newest, linksRow, calls } = lookups(database, salvaged)
  const begunRow = database.prepare(
    'SELECT initiator_id, started_at, offered_key FROM interceptions WHERE id = ?',
  )
  const addOffer = database.prepare('INSERT OR IGNORE INTO offers VALUES (?, ?, ?, ?)')
  const dropOffer = database.prepare(
    'DELETE FROM offers WHERE (initiator_id, key, started_at, interception_id) = (?, ?, ?, ?)',
  )
  const wanting = database.prepare(`
    SELECT id FROM interceptions
    WHERE initiator_id = ? AND wanted_key = ? AND started_at BETWEEN ? AND ? + ${maxAge}`)
  const below = database.prepare(`
    SELECT id FROM interceptions WHERE thread_parent_id = $id
    UNION ALL SELECT id FROM interceptions WHERE retry_of = $id`)
  const setLinks = database.prepare(
    'UPDATE interceptions SET thread_parent_id = ?, thread_root_id = ?, session_id = ? WHERE id = ?',
  )
  const keepBelow = database.prepare(
    'UPDATE interceptions SET kept = 1 WHERE thread_parent_id = $id OR retry_of = $id',
  )
  const anyRecord = database.prepare('SELECT 1 FROM records WHERE interception_id = ? LIMIT 1')
  const lostCall = database.prepare(`
    SELECT 1 FROM records WHERE interception_id = ? AND type = 'tool_usage'
      AND iif(json_valid(body), body ->> '$.toolCallId', NULL) IS NULL LIMIT 1`)
  // These read all there are.
  const offersOf = database.prepare('SELECT count(*) AS n FROM offers WHERE interception_id = ?')
  const dropOffers = database.prepare('DELETE FROM offers WHERE interception_id = ?')
  const loose = new Set<string>()

  function loosen(rows: readonly { readonly id?: unknown }[]): void {
    for (const { id } of rows) loose.add(String(id))
  }

  function linksBy({ id, start }: Relative, now: ReturnType<typeof linksRow>): Links {
    return linksOf(id, now?.kept ? keeping(start, now) : start, {
      find,
      newest: (key) => newest(id, start, key),
    })
  }

  function change(
    statement: typeof addOffer,
    initiator: string,
    key: string,
    at: number,
    id: string,
  ) {
    const { changes } = statement.run(initiator, key, at, id)
    if (changes > 0) loosen(wanting.all(initiator, key, at, at))
  }

  return {
    starting(id) {
      if (!anyRecord.get(id)) return true
      const earlier = find(id)?.start
      if (!earlier) return false
      const at = Date.parse(earlier.startedAt)
      for (const key of offeredKeys(earlier, calls(id)))
        change(dropOffer, earlier.initiatorId, key, at, id)
      return false
    },
    started(id, start, isNew) {
      const at = Date.parse(start.startedAt)
      for (const key of isNew ? [] : offeredKeys(start, calls(id)))
        change(addOffer, start.initiatorId, key, at, id)
      // Most go on from nothing that could be found.
      if (!isNew || start.threadParentId || start.retryOf || wantedKey(start)) loose.add(id)
      loosen(below.all({ id }))
    },
    called(id, toolCallId) {
      const row = begunRow.get(id)
      // Else its start is still to come, and sees to it.
      if (!row || row.started_at === null) return
      for (const key of [callKey(toolCallId), row.offered_key])
        if (key !== null)
          change(addOffer, String(row.initiator_id), String(key), Number(row.started_at), id)
    },
    isLinked(id) {
      const found = find(id)
      const now = linksRow(id)
      return !found || sameLinks(linksBy(found, now), now)
    },
    loosen: (id) => loose.add(id),
    keptOffers: (id) => (lostCall.get(id) ? Number(offersOf.get(id)?.n) : 0),
    examine({ initiator_id: initiator, key, started_at: at, interception_id: id }) {
      const start = find(id)?.start
      const isMade =
        start?.initiatorId === initiator &&
        Date.parse(start.startedAt) === at &&
        offeredKeys(start, calls(id)).includes(key)
      if (!isMade && !lostCall.get(id)) change(dropOffer, initiator, key, at, id)
    },
    link(changed) {
      for (const id of loose) {
        // Taken out first: what changes above it puts it in again.
        loose.delete(id)
        const found = find(id)
        if (!found) continue
        const now = linksRow(id)
        const links = linksBy(found, now)
        if (sameLinks(links, now)) continue
        setLinks.run(links.threadParentId, links.threadRootId, links.sessionId, id)
        changed(id)
        loosen(below.all({ id }))
      }
    },
    drop(id) {
      const start = find(id)?.start
      // Nothing hangs on one whose start never came.
      if (!start) return
      const at = Date.parse(start.startedAt)
      for (const key of offeredKeys(start, calls(id))) dropOffer.run(start.initiatorId, key, at, id)
      if (lostCall.get(id)) dropOffers.run(id)
      keepBelow.run({ id })
    },
    forget: () => loose.clear(),
  }
}

function lookups(database: DatabaseSync, salvaged: Salvage) {
  const startOf = storedStart(database, salvaged)
  const links = database.prepare(`
    SELECT thread_parent_id AS threadParentId, thread_root_id AS threadRootId,
      session_id AS sessionId, kept
    FROM interceptions WHERE id = ?`)
  const callIds = database.prepare(`
    SELECT iif(json_valid(body), body ->> '$.toolCallId', NULL) AS id FROM records
    WHERE interception_id = ? AND type = 'tool_usage'`)
  const offered = database.prepare(`
    SELECT interception_id AS id FROM offers
    WHERE initiator_id = $initiator AND key = $key
      AND started_at BETWEEN $at - ${maxAge} AND $at AND (started_at < $at OR interception_id < $id)
    ORDER BY started_at DESC, interception_id DESC LIMIT 1`)

  const linksRow = (id: string) => links.get(id) as (Links & { kept: number }) | undefined

  function find(id: string): Relative | null {
    const start = startOf(id)
    return start && { id, start, links: linksRow(id) ?? start }
  }

  return {
    find,
    linksRow,
    calls: (id: string) =>
      callIds.all(id).flatMap(({ id }) => (typeof id === 'string' ? [id] : [])),
    newest(id: string, { initiatorId, startedAt }: LinkingStart, key: string) {
      const row = offered.get({ initiator: initiatorId, key, at: Date.parse(startedAt), id })
      return row ? find(String(row.id)) : null
    },
  }
}

function sameLinks(a: Links, b: Links | undefined): boolean {
  return (
    a.threadParentId === b?.threadParentId &&
    a.threadRootId === b.threadRootId &&
    a.sessionId === b.sessionId
  )
}
