import type { Collection } from 'mongodb'

/** A process that writes to the store, and when it last said that it lives, by the server's clock. */
export interface ProcessDocument {
  readonly _id: string
  readonly seenAt?: Date
}

export type Processes = Collection<ProcessDocument>

/** Says that a process lives; what the server's clock shows at that comes back. */
export async function beat(processes: Processes, processId: string): Promise<Date> {
  const found = await processes.findOneAndUpdate(
    { _id: processId },
    { $currentDate: { seenAt: true } },
    { upsert: true, returnDocument: 'after' },
  )
  return found?.seenAt ?? new Date(0)
}
