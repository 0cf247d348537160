import type { MetricsSnapshot } from './metrics.ts'
import type { PackedConfig } from './packed-config.ts'

/** What a worker tells the primary. */
export type WorkerMessage =
  /** It lives, under this name on the interceptions that it will own. */
  | { readonly type: 'hello'; readonly processId: string }
  /** It serves. */
  | { readonly type: 'ready'; readonly url: string }
  /** It could not begin to serve, and ends. */
  | { readonly type: 'failed'; readonly message: string }
  /** What it has counted; with an `ask` it wants to know what all have. */
  | { readonly type: 'metrics'; readonly snapshot: MetricsSnapshot; readonly ask?: number }

/** What the primary tells a worker. */
export type PrimaryMessage =
  | {
      readonly type: 'serve'
      readonly config: PackedConfig
      /** Nobody serves yet: it takes the port before it touches the store, and empties that of a demo. */
      readonly first: boolean
    }
  /** Goes on by this one. */
  | { readonly type: 'reload'; readonly config: PackedConfig }
  /** From now on it does what one process alone does, beside serving. */
  | { readonly type: 'lead' }
  /** These processes are dead: what they left open is to be ended. */
  | { readonly type: 'reap'; readonly processIds: readonly string[] }
  /** What all processes have counted together. */
  | { readonly type: 'metrics'; readonly ask: number; readonly snapshot: MetricsSnapshot }
  /** It is to refuse new requests, finish what runs and end. */
  | { readonly type: 'stop' }
