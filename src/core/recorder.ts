import type { Outcome } from './events.ts'
import type { Plugin, PluginContext } from './plugin.ts'
import type { InterceptionEnd, InterceptionStart, RecordOf, RecordType } from './records.ts'

/** A plugin that keeps records and gives interceptions back. Memory, SQLite and Mongo are also a `Store`. */
export interface Recorder extends Plugin {
  record(records: Parameters<NonNullable<Plugin['record']>>[0]): Promise<void>
  /** Only ended ones unless `running`. Rejects with `ERR_CURSOR` where `after` is not to be seen. */
  interceptions(query?: InterceptionQuery): Promise<InterceptionPage>
  interception(id: string): Promise<StoredInterception | null>
  open(context?: PluginContext): Promise<void>
  close(): Promise<void>
  /** Ends at once what these processes left open, which are known to be dead; by itself that takes a minute or two. */
  reap?(processIds: readonly string[]): Promise<void>
}

/** What every list can be narrowed to; all that is given must hold. Names are exact and case-sensitive. */
export interface StoreFilter {
  /** Who asks may see this initiator's alone: an id, nothing else. @default all */
  readonly visibleTo?: string
  /** Initiator id or username. */
  readonly initiator?: string
  /** The provider's type. */
  readonly provider?: string
  /** The provider's instance. */
  readonly providerName?: string
  readonly model?: string
  readonly client?: string
  /** RFC 3339, inclusive. Of a session: it was active then or later. */
  readonly startedAfter?: string
  /** RFC 3339, inclusive. */
  readonly startedBefore?: string
}

export interface InterceptionFilter extends StoreFilter {
  readonly sessionId?: string
  readonly outcome?: Outcome
  /** The name of a tool that it called. */
  readonly tool?: string
  /** Words that all occur in its prompts, names and inputs of tools, or reasoning; in quotes: side by side. */
  readonly search?: string
  /** `repo`, `branch`, `issue` as they were recorded: all that are given must be the same. */
  readonly annotations?: Readonly<Record<string, string>>
  /** Those that have not ended are left out. @default false */
  readonly running?: boolean
}

export interface InterceptionQuery extends InterceptionFilter {
  /** 1..1000. @default 100 */
  readonly limit?: number
  /** Rows to skip. @default 0 */
  readonly offset?: number
  /** The last interception of the page before: by its time and id, so that what comes in between shifts nothing. */
  readonly after?: string
  /** By (startedAt, id). @default 'newest' */
  readonly sort?: 'newest' | 'oldest'
}

export interface InterceptionPage {
  /** All that match, whatever the page. */
  readonly count: number
  /** False where `count` is a lower bound or what was counted a moment ago. @default true */
  readonly countExact?: boolean
  readonly results: readonly StoredInterception[]
}

/** An interception put together from its records, each list in the order in which things were seen. */
export interface StoredInterception {
  readonly id: string
  readonly start: InterceptionStart
  /** Null while it runs. */
  readonly end: InterceptionEnd | null
  readonly tokenUsages: readonly RecordOf<'token_usage'>[]
  readonly userPrompts: readonly RecordOf<'prompt_usage'>[]
  readonly toolUsages: readonly RecordOf<'tool_usage'>[]
  readonly toolResults: readonly RecordOf<'tool_result'>[]
  readonly modelThoughts: readonly RecordOf<'model_thought'>[]
  /** Records of types that plugins added. */
  readonly others: readonly RecordOf<RecordType>[]
  /** What was stored of it and cannot be read any more; of its start and end the rest is what the store knows beside. */
  readonly damaged?: readonly DamagedRecord[]
}

/** A record that a disk, or another program, has damaged in its store. */
export interface DamagedRecord {
  readonly id: string
  readonly type: string
  readonly seq: number
  readonly createdAt: string
}
