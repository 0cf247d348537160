import { type LeftOpen, reapedEnd } from '../../core/reaped-end.ts'
import type { InterceptionRecord } from '../../core/records.ts'
import type { Interceptions } from './collections.ts'
import { beat, type Processes } from './heartbeat.ts'
import { furtherParts, recordsIn } from './interception-document.ts'

export interface ReapOptions {
  readonly processId: string
  readonly deadAfterMs: number
  /** Known to be dead, whatever their last sign of life. @default none */
  readonly dead?: readonly string[]
  write(records: readonly InterceptionRecord[]): Promise<void>
}

/** How long the last sign of life of a process with nothing left open is kept. */
const keptMs = 24 * 60 * 60 * 1000
// A secondary may not have yet what tells that somebody lives.
const readPreference = 'primary' as const
const open = { ended: false, startedAt: { $gt: new Date(0) } }

/** Ends the open interceptions of processes that died, as `aborted`. */
export async function reap(
  interceptions: Interceptions,
  processes: Processes,
  { processId, deadAfterMs, dead = [], write }: ReapOptions,
): Promise<void> {
  // First who has open interceptions, then who lives: a process says that it lives before it writes.
  const owners = (await interceptions.distinct('processId', open, { readPreference })).map(String)
  const now = (await beat(processes, processId)).getTime()
  const marks = await processes.find({ _id: { $in: owners } }, { readPreference }).toArray()
  const seen = new Map(marks.map(({ _id, seenAt }) => [_id, seenAt?.getTime() ?? 0]))
  for (const owner of owners) {
    const seenAt = seen.get(owner)
    if (owner === processId) continue
    if (dead.includes(owner)) {
      await endAll(interceptions, owner, write)
      continue
    }
    // Nobody ever saw it, perhaps only because its mark was removed: from now on it has to say that it lives.
    if (seenAt === undefined) await beat(processes, owner)
    else if (now - seenAt > deadAfterMs) await endAll(interceptions, owner, write)
  }
  await processes.deleteMany({
    _id: { $nin: owners },
    seenAt: { $lt: new Date(now - Math.max(keptMs, deadAfterMs)) },
  })
}

async function endAll(
  interceptions: Interceptions,
  owner: string,
  write: ReapOptions['write'],
): Promise<void> {
  const ids = interceptions.find({ ...open, processId: owner }, { readPreference, batchSize: 10 })
  for await (const document of ids) {
    const more = furtherParts([document])
    const parts =
      more.length === 0
        ? []
        : await interceptions.find({ _id: { $in: more } }, { readPreference }).toArray()
    const records = recordsIn(document._id, [document, ...parts])
    await write([reapedEnd(leftOpen(document._id, records))])
  }
}

function leftOpen(id: string, records: readonly InterceptionRecord[]): LeftOpen {
  let [startedAt, lastSeenAt, lastSeq] = ['', '', 0]
  for (const record of records) {
    if (record.type === 'interception_start') startedAt = record.startedAt
    if (record.createdAt > lastSeenAt) lastSeenAt = record.createdAt
    lastSeq = Math.max(lastSeq, record.seq)
  }
  return { id, startedAt, lastSeenAt, lastSeq }
}
