import { randomUUID } from 'node:crypto'
import { MongoServerError } from 'mongodb'
import type { Collections } from './collections.ts'
import { beat } from './heartbeat.ts'

/** Who may do what only one process at a time does, and until when by the server's clock. */
export interface LeaseDocument {
  readonly _id: string
  readonly owner?: string
  readonly until?: Date
}

const leaseMs = 30_000

export interface Lease {
  /** Says that the work goes on; false where another process has taken over. */
  renew(): Promise<boolean>
  release(): Promise<void>
}

/** Null where another process has it. */
export async function takeLease(
  { leases, processes }: Collections,
  name: string,
  processId: string,
): Promise<Lease | null> {
  const owner = `${processId} ${randomUUID()}`
  const until = async () => new Date((await beat(processes, processId)).getTime() + leaseMs)
  let renewed = performance.now()
  const end = await until()
  try {
    await leases.updateOne(
      { _id: name, until: { $lt: new Date(end.getTime() - leaseMs) } },
      { $set: { owner, until: end } },
      { upsert: true },
    )
  } catch (error) {
    // It is there and has not ended.
    if (error instanceof MongoServerError && error.code === 11_000) return null
    throw error
  }
  return {
    renew: async () => {
      if (performance.now() - renewed < leaseMs / 3) return true
      renewed = performance.now()
      const { matchedCount } = await leases.updateOne(
        { _id: name, owner },
        { $set: { until: await until() } },
      )
      return matchedCount === 1
    },
    release: async () => {
      await leases.deleteOne({ _id: name, owner })
    },
  }
}
