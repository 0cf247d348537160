import type { Measures } from './measures.ts'
import type { InterceptionFilter, Recorder, StoredInterception, StoreFilter } from './recorder.ts'
import type { Session } from './session.ts'
import type { Thread } from './thread.ts'

/**
 * A recorder that answers all questions and forgets on request. Memory, SQLite and Mongo pass one contract suite.
 * Sessions and sums count ended interceptions only, and follow what is stored, whatever came twice or late.
 */
export interface Store extends Recorder {
  /** Newest first by (lastActiveAt, id, initiatorId). Rejects with `ERR_CURSOR` where `after` is not to be seen. */
  sessions(query?: SessionQuery): Promise<SessionPage>
  /** A session with a page of its threads, by (startedAt, id) of their roots; null where there is none to see. */
  session(query: SessionDetailQuery): Promise<SessionAnswer | null>
  /** What occurs, in order of the text. */
  values(query: ValuesQuery): Promise<readonly string[]>
  /** Sums by key, the largest `sort` first, then by key; with an interval by bucket, then so. None of nothing. */
  stats(query: StatsQuery): Promise<readonly StatsRow[]>
  /** Interceptions in the order in which their ends were stored. */
  feed(query: FeedQuery): Promise<FeedPage>
  /**
   * Forgets what is older than the limits, in batches, while others write; and refuses from now on what comes later
   * and is older. One process at a time.
   */
  prune(query: PruneQuery): Promise<PruneReport>
  /** Forgets all of one initiator until `before`, also what of it is still to come. */
  erase(query: EraseQuery): Promise<EraseReport>
  /** What was erased, for who holds records that are not stored yet: of whom, and which `among` these interceptions. */
  erasures?(among?: readonly string[]): Promise<Erasures>
  /** Makes all that is derived (summaries, sessions, sums, text index, links) anew from the records. */
  reindex(): Promise<ReindexReport>
  /** Counts, and looks for what should not be. */
  verify(): Promise<VerifyReport>
}

export interface SessionQuery extends StoreFilter {
  readonly sessionId?: string
  /** 1..1000. @default 100 */
  readonly limit?: number
  /** @default 0 */
  readonly offset?: number
  /** The last session of the page before; its initiator where the id alone is ambiguous. */
  readonly after?: string
  readonly afterInitiatorId?: string
  /** @default 'active' */
  readonly sort?: 'active' | 'started' | 'oldest'
}

export interface SessionPage {
  readonly count: number
  readonly countExact?: boolean
  readonly sessions: readonly Session[]
}

export interface SessionDetailQuery {
  readonly id: string
  readonly visibleTo?: string
  /** Initiator id or username: needed where several initiators have a session of this id. */
  readonly initiator?: string
  /** The id of a thread: those after it. Rejects with `ERR_CURSOR` where it is not of this session. */
  readonly after?: string
  /** The id of a thread: those before it, the nearest to it. */
  readonly before?: string
  /** 1..200. @default 50 */
  readonly limit?: number
  /** Also threads that no person asked for: titles, probes, summaries. @default false */
  readonly aside?: boolean
}

export type SessionAnswer =
  | { readonly type: 'session'; readonly session: Session; readonly threads: readonly Thread[] }
  | {
      readonly type: 'ambiguous'
      readonly initiators: readonly { readonly id: string; readonly username: string }[]
    }

export type ValueName = 'model' | 'client' | 'provider' | 'providerName' | 'tool' | 'initiator'

export interface ValuesQuery {
  /** `initiator`: usernames. */
  readonly of: ValueName
  readonly visibleTo?: string
  /** What they begin with. */
  readonly prefix?: string
  /** 1..1000. @default 100 */
  readonly limit?: number
  /** @default 0 */
  readonly offset?: number
}

export type StatsKey = 'user' | 'model' | 'client' | 'provider' | 'providerName' | 'tool' | 'none'

export interface StatsQuery extends StoreFilter {
  readonly groupBy: StatsKey
  /** By time, in UTC: each row has the beginning of its hour or day. @default none */
  readonly interval?: 'hour' | 'day'
  /** @default 'interceptions' */
  readonly sort?: keyof Measures
  /** Rows, or rows per bucket. @default all */
  readonly limit?: number
}

/** By tool: calls of that tool, and the rest of the interceptions that called it. */
export interface StatsRow extends Measures {
  /** The user's name for `user`, empty for `none`. */
  readonly key: string
  /** For `user`. */
  readonly initiatorId?: string
  readonly bucket?: string
}

export interface FeedQuery extends Pick<InterceptionFilter, 'visibleTo'> {
  /** Where to go on. Without it: nothing but the cursor of now. */
  readonly after?: string
  /** @default 100 */
  readonly limit?: number
}

export interface FeedPage {
  /** Each once, unless it was ended anew. */
  readonly results: readonly {
    readonly cursor: string
    readonly interception: StoredInterception
  }[]
  readonly cursor: string
  /** True where what lay right after `after` is no longer stored, or the cursor is not of this store. */
  readonly gap?: boolean
}

export interface PruneQuery {
  /** RFC 3339: interceptions that started before are forgotten. @default none */
  readonly before?: string
  /** RFC 3339: of those that started before, what people and models wrote. @default none */
  readonly contentBefore?: string
  /** Counts only. @default false */
  readonly dryRun?: boolean
  /** How long it may go on, in ms. @default until it is done */
  readonly budget?: number
}

export interface PruneReport {
  readonly interceptions: number
  /** Interceptions that stay and whose content went. */
  readonly contents: number
  /** False where the budget was too short, or another process prunes. */
  readonly done: boolean
  readonly busy?: boolean
}

export interface EraseQuery {
  /** Initiator id or username. */
  readonly initiator: string
  /** RFC 3339. @default now */
  readonly before?: string
  /** Counts only. @default false */
  readonly dryRun?: boolean
}

export interface EraseReport {
  readonly interceptions: number
  /** Ids whose records are refused from now on, where they are older. */
  readonly initiatorIds: readonly string[]
}

export interface Erasures {
  readonly initiators: readonly Erasure[]
  /** Ids of those asked for of which nothing is taken any more. */
  readonly interceptions: readonly string[]
}

/** An initiator whose records are refused where they are older. */
export interface Erasure {
  /** SHA-256 in hex of an id; or, with `name`, of an id or a username. */
  readonly hash: string
  readonly of: 'id' | 'name'
  /** RFC 3339, inclusive, by when an interception started. */
  readonly until: string
}

export interface ReindexReport {
  readonly interceptions: number
  readonly sessions: number
  /** Records that could not be read, where there are some. */
  readonly damaged?: number
}

export interface VerifyReport {
  readonly interceptions: number
  readonly records: number
  readonly sessions: number
  /** Not ended. */
  readonly open: number
  /** Interceptions of which there are records and no start. */
  readonly orphans: number
  /** Records that cannot be read, where there are some. */
  readonly damaged?: number
  /** What should not be, in words, with the way out; empty when all is well. */
  readonly faults: readonly string[]
}
