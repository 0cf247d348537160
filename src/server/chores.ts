import type { Diagnostics, Log } from '../core/diagnostics.ts'
import type { Store } from '../core/store.ts'
import type { Config } from './config.ts'
import { startRetention } from './retention.ts'

export interface ChoreContext {
  readonly config: Config
  /** The gateway's own, open. */
  readonly recorder: Store
  readonly log: Log
  readonly diagnostics: Diagnostics
}

/** Something that exactly one process of a gateway does beside serving; it runs until it is stopped. */
export type Chore = (context: ChoreContext) => { stop(): Promise<void> | void }

/** All of them: with workers the primary names the one that does them, else the only process does. */
export const chores: readonly Chore[] = [
  ({ recorder, config, diagnostics }) => startRetention({ store: recorder, config, diagnostics }),
]
