import type { Diagnostics } from '../diagnostics.ts'
import { SluiceError } from '../errors.ts'
import type { Initiator } from '../interception.ts'
import { HiddenCalls } from '../tool-rounds/hidden-calls.ts'
import type { ToolLimits } from '../tool-rounds/limits.ts'
import type { SafeSpan } from '../tracing/safe-span.ts'
import { type Lease, ToolboxPool } from './pool.ts'
import { checkServers, type McpServerOptions } from './server-options.ts'

/** Tools of MCP servers that the gateway offers to models and runs itself. */
export interface McpOptions {
  /** By name; the name becomes part of the tools' names. */
  readonly servers: Readonly<Record<string, McpServerOptions>>
  /** What the names of all such tools begin with. @default 'bmcp' */
  readonly prefix?: string
  /** How long connections of one initiator are used, in ms; then they are made anew, with new tokens. @default 15 min */
  readonly poolTtl?: number
  /** For how many initiators connections are kept. @default 1000 */
  readonly poolSize?: number
  /** Upstream calls within one reply. @default 20 */
  readonly maxRounds?: number
  /** Calls of such tools within one reply. @default 64 */
  readonly maxCalls?: number
  /** For one call, in ms. @default 60 s */
  readonly callTimeout?: number
  /** From the first call to the end of the reply, in ms. @default 10 min */
  readonly totalTimeout?: number
  /** What of a call's result goes to the model, in bytes. @default 1 MiB */
  readonly maxResult?: number
  /** Lets the model call several tools at once, and runs those at once. @default false */
  readonly parallel?: boolean
}

export interface InjectedTools {
  readonly limits: ToolLimits
  readonly hiddenCalls: HiddenCalls
  /** The tools of one initiator, to be given back. Rejects when `signal` aborts. */
  acquire(
    initiator: Initiator,
    key: string,
    signal: AbortSignal,
    span?: SafeSpan | null,
  ): Promise<Lease>
  /** Others take its place: connections are closed as soon as no request uses them. */
  retire(): void
  close(): Promise<void>
}

const second = 1000
const minute = 60 * second
const mebibyte = 1024 * 1024

/** Null where no servers are named. Throws where an option will not do. */
export function createInjectedTools(
  {
    servers,
    prefix = 'bmcp',
    poolTtl = 15 * minute,
    poolSize = 1000,
    maxRounds = 20,
    maxCalls = 64,
    callTimeout = 60 * second,
    totalTimeout = 10 * minute,
    maxResult = mebibyte,
    parallel = false,
  }: McpOptions,
  diagnostics: Diagnostics,
  /** Outlive servers that are exchanged. */
  hiddenCalls = new HiddenCalls(),
): InjectedTools | null {
  checkServers(servers)
  if (!/^[A-Za-z0-9_-]{1,16}$/.test(prefix)) {
    throw new SluiceError(
      `prefix "${prefix}" of injected tools will not do: use 1 to 16 letters, digits, hyphens and underscores`,
      { code: 'ERR_MCP_PREFIX' },
    )
  }
  if (Object.keys(servers).length === 0) return null
  const pool = new ToolboxPool({
    servers,
    prefix,
    ttl: poolTtl,
    size: poolSize,
    connectTimeout: 10 * second,
    // A result that is cut has to be read first; one much longer is not read at all.
    maxBytes: Math.max(16 * mebibyte, 4 * maxResult),
    diagnostics,
  })
  return {
    limits: { maxRounds, maxCalls, callTimeout, totalTimeout, maxResult, parallel },
    hiddenCalls,
    acquire: (initiator, key, signal, span) => pool.acquire(initiator, key, signal, span),
    retire: () => pool.retire(),
    close: () => pool.close(),
  }
}
