import type { Log } from '../core/diagnostics.ts'
import type { Recorder } from '../core/recorder.ts'
import type { Config } from './config.ts'

export interface ChoreContext {
  readonly config: Config
  /** The gateway's own, open. */
  readonly recorder: Recorder
  readonly log: Log
}

/** Something that exactly one process of a gateway does beside serving; it runs until it is stopped. */
export type Chore = (context: ChoreContext) => { stop(): Promise<void> | void }

/** All of them: with workers the primary names the one that does them, else the only process does. */
export const chores: readonly Chore[] = []
