import { reapedEnd } from '../../core/reaped-end.ts'
import type { ProcessMark } from './process-mark.ts'
import { encodeRecords } from './record-rows.ts'
import type { StoreWriter } from './store-writer.ts'

/** Ends the open interceptions of processes that died, as `aborted`. */
export function reap(store: StoreWriter, mark: ProcessMark): void {
  // First who has open interceptions, then who lives: a process shows that it lives before it writes.
  const owners = store.database
    .prepare('SELECT DISTINCT process_id AS id FROM interceptions WHERE ended = 0')
    .all()
    .map(({ id }) => String(id))
  const { alive, dead } = mark.others()
  try {
    for (const owner of owners) {
      if (owner !== mark.processId && !alive.has(owner)) endAll(store, owner)
    }
    for (const { remove } of dead) remove()
  } finally {
    for (const { letGo } of dead) letGo()
  }
}

function endAll({ database, write }: StoreWriter, owner: string): void {
  const ends = database
    .prepare(
      `SELECT interceptions.id, started_at, max(created_at) AS last_seen_at, max(seq) AS last_seq
       FROM interceptions JOIN records ON interception_id = interceptions.id
       WHERE ended = 0 AND process_id = ? GROUP BY interceptions.id`,
    )
    .all(owner)
    .map((row) =>
      reapedEnd({
        id: String(row.id),
        startedAt: new Date(Number(row.started_at)).toISOString(),
        lastSeenAt: String(row.last_seen_at),
        lastSeq: Number(row.last_seq),
      }),
    )
  for (const rows of encodeRecords(ends)) write(rows)
}
