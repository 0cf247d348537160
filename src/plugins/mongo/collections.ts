import type { Collection, CollectionOptions, Db } from 'mongodb'
import type { DigestDocument } from './digest-document.ts'
import type { Processes } from './heartbeat.ts'
import type { HourDocument } from './hour-document.ts'
import type { InterceptionDocument } from './interception-document.ts'
import type { LeaseDocument } from './lease.ts'
import type { LimitsDocument } from './limits.ts'
import type { SessionDocument } from './session-document.ts'
import type { TextDocument } from './text-document.ts'

export type Interceptions = Collection<InterceptionDocument>

/** All that a store consists of. The first holds the records; what follows it is made from them. */
export interface Collections {
  readonly interceptions: Interceptions
  readonly digests: Collection<DigestDocument>
  readonly texts: Collection<TextDocument>
  readonly sessions: Collection<SessionDocument>
  readonly hours: Collection<HourDocument>
  readonly limits: Collection<LimitsDocument>
  readonly leases: Collection<LeaseDocument>
  readonly processes: Processes
}

export function collectionsIn(db: Db, name: string, options: CollectionOptions): Collections {
  return {
    interceptions: db.collection(name, options),
    digests: db.collection(`${name}_digests`, options),
    texts: db.collection(`${name}_texts`, options),
    sessions: db.collection(`${name}_sessions`, options),
    hours: db.collection(`${name}_hours`, options),
    limits: db.collection(`${name}_limits`, options),
    leases: db.collection(`${name}_leases`, options),
    processes: db.collection(`${name}_processes`, options),
  }
}
