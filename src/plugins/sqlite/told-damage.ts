import type { Diagnostics } from '../../core/diagnostics.ts'
import type { DamagedRecord } from '../../core/recorder.ts'
import type { ReindexReport } from '../../core/store.ts'
import type { Reindexed } from './reindex.ts'

/** What a reindex found, with what it could not read told and counted. */
export function reindexReport(
  { damagedRecords, ...report }: Reindexed,
  onDamaged: OnDamaged,
): ReindexReport {
  for (const [id, records] of damagedRecords) onDamaged(id, records)
  const damaged = damagedRecords.reduce((sum, [, records]) => sum + records.length, 0)
  return { ...report, ...(damaged > 0 && { damaged }) }
}

/** Past this many no more are told one by one. */
const most = 10_000

/** Is told of an interception's damaged records. */
export type OnDamaged = (id: string, records: readonly DamagedRecord[]) => void

/** Tells of each damaged record once: in the log by its interception, and in a count. */
export function toldDamage(path: string, diagnostics: () => Diagnostics | undefined): OnDamaged {
  const told = new Set<string>()
  return (id, records) => {
    const fresh = records.filter((record) => !told.has(`${id} ${record.id}`))
    if (fresh.length === 0 || told.size > most) return
    for (const record of fresh) told.add(`${id} ${record.id}`)
    const labels = { recorder: 'sqlite-recorder', reason: 'damaged' }
    diagnostics()?.count('records_dropped', labels, fresh.length)
    const types = [...new Set(fresh.map(({ type }) => type))].join(', ')
    diagnostics()?.log(
      'error',
      `records of interception ${id} in ${path} are damaged and left out (${types}): restore a copy of the file, or import an export that has them`,
      { interception_id: id, record_ids: fresh.map((record) => record.id) },
    )
  }
}
