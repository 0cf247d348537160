import type { Plugin, PluginContext } from './plugin.ts'
import type { InterceptionEnd, InterceptionStart, RecordOf, RecordType } from './records.ts'

/** A plugin that keeps records and answers queries. Memory, SQLite and Mongo pass one contract suite. */
export interface Recorder extends Plugin {
  record(records: Parameters<NonNullable<Plugin['record']>>[0]): Promise<void>
  /** Newest first by (startedAt, id); only ended ones unless `running`. */
  interceptions(query?: InterceptionQuery): Promise<InterceptionPage>
  interception(id: string): Promise<StoredInterception | null>
  open(context?: PluginContext): Promise<void>
  close(): Promise<void>
}

export interface InterceptionQuery {
  /** 1..1000. @default 100 */
  readonly limit?: number
  /** Rows to skip. @default 0 */
  readonly offset?: number
  /** Initiator id or username. */
  readonly initiator?: string
  /** `repo`, `branch`, `issue` as they were recorded: all that are given must be the same. */
  readonly annotations?: Readonly<Record<string, string>>
  /** Ids of the interceptions that have not ended are left out. @default false */
  readonly running?: boolean
}

export interface InterceptionPage {
  /** All that match, whatever the page. */
  readonly count: number
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
}
