import { SluiceError } from '../core/errors.ts'
import type { InterceptionFilter, InterceptionQuery } from '../core/recorder.ts'
import type { SessionDetailQuery, SessionQuery, StatsQuery } from '../core/store.ts'
import { readApiAddress } from '../server/config.ts'
import type { ExportFormat } from '../server/export.ts'
import type { StoreFlags } from './store-command.ts'

/** Something as the API tells it. */
// biome-ignore lint/suspicious/noExplicitAny: what a gateway of any version says, told on as it is.
export type Told = Readonly<Record<string, any>>

/** What commands ask: a running gateway's API, or the store itself as an owner. Both tell the same. */
export interface Source {
  /** Who `me` is. */
  readonly me: string
  interceptions(query: InterceptionQuery): Promise<{ count: number; results: readonly Told[] }>
  interception(id: string): Promise<Told | null>
  sessions(query: SessionQuery): Promise<{ count: number; sessions: readonly Told[] }>
  session(query: SessionDetailQuery): Promise<Told | null>
  stats(query: StatsQuery): Promise<readonly Told[]>
  exported(options: ExportWish): Promise<AsyncIterable<string>>
  /** What ends from now on, until `signal`. */
  followed(options: FollowWish): AsyncIterable<Told>
}

export interface ExportWish {
  readonly filter: InterceptionFilter
  readonly format: ExportFormat
  readonly onProgress: (interceptions: number) => void
  /** Told where records were damaged and left out; a gateway logs them itself. */
  readonly onDamaged: (records: number) => void
}

export interface FollowWish {
  readonly filter: InterceptionFilter
  readonly signal: AbortSignal
  /** Told of what its reader should know: a connection that was lost, something that was missed. */
  readonly notice: (text: string) => void
}

export interface SourceFlags extends Partial<StoreFlags> {
  readonly url?: string
}

/** Uses the source that flags and environment name: a URL counts before the store. */
export async function withSource<T>(
  flags: SourceFlags,
  use: (source: Source) => Promise<T>,
): Promise<T> {
  const { url, token } = readApiAddress({ flags: { ...flags } })
  if (url !== undefined) return use((await import('./api-source.ts')).apiSource(url, token))
  // Only now: who asks a gateway need not load what stores need.
  const { withStore } = await import('./with-store.ts')
  const { storeSource } = await import('./store-source.ts')
  try {
    return await withStore(flags, ({ store, config }) => use(storeSource(store, config.user)))
  } catch (error) {
    if (!(error instanceof SluiceError && error.code === 'ERR_NO_STORE')) throw error
    const { message, code } = error
    throw new SluiceError(`${message}, or a running gateway with --url http://127.0.0.1:4141`, {
      code,
    })
  }
}
