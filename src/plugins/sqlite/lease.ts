import type { DatabaseSync } from 'node:sqlite'
import { meta } from './meta.ts'

/** How long a process that died in a chore keeps others from theirs, in ms. */
const term = 30_000

export interface Lease {
  /** True where nobody else has it. All within a transaction. */
  take(): boolean
  renew(): void
  release(): void
}

/** The right to do a chore on the store: one process at a time has it. */
export function lease(database: DatabaseSync, owner: string, name = 'lease'): Lease {
  const facts = meta(database)
  const renew = () => facts.set(name, JSON.stringify({ owner, until: Date.now() + term }))
  return {
    take() {
      const text = facts.text(name)
      const held = text === null ? null : (JSON.parse(text) as { owner: string; until: number })
      if (held && held.owner !== owner && held.until > Date.now()) return false
      renew()
      return true
    },
    renew,
    release: () => facts.set(name, null),
  }
}
