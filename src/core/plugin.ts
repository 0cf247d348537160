import type { Observable, ObservableInput } from 'rxjs'
import type { Diagnostics } from './diagnostics.ts'
import type { EventType, InterceptionEvent } from './events.ts'
import type { Interception } from './interception.ts'
import type { InterceptionRecord, RecordBody } from './records.ts'

/** Watches (`observe`), keeps (`record`), or both. It can neither alter nor end nor hold back a stream. */
export interface Plugin {
  readonly name: string
  /** Its `record` resolves only when the batch is on disk; the end of a reply waits for such recorders alone. */
  readonly durable?: true
  /** Wants figures that will be replaced, too, and replaces by record id: for recorders that store. */
  readonly provisional?: true
  /**
   * The events that `observe` looks at, beside `end`; it is called when the first of them comes. A plugin that
   * leaves out `text` costs a stream next to nothing. @default all, and it is called at the start
   */
  readonly observes?: readonly EventType[]
  /** Turns the events of one interception into records. Called once per interception; must be cheap. */
  observe?(
    events$: Observable<InterceptionEvent>,
    interception: Interception,
  ): ObservableInput<RecordBody>
  /** Stores records, in order. The next batch waits until this one settles. May be slow. */
  record?(records: readonly InterceptionRecord[]): void | Promise<void>
  open?(context?: PluginContext): Promise<void>
  close?(): Promise<void>
  /** What is wrong at the moment though it is open, in words: for `readyz`. */
  faults?(): readonly string[]
}

/** A plugin that keeps records, whether or not it gives them back. */
export type RecordingPlugin = Plugin & Required<Pick<Plugin, 'record'>>

/** What the gateway lends to a plugin that it opens. */
export interface PluginContext {
  /** Where a plugin that works on by itself counts and logs what went wrong. */
  readonly diagnostics: Diagnostics
  /** What this plugin is given is on disk already, and given again until it is stored. */
  readonly journaled?: true
}
