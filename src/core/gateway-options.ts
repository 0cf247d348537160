import type { ClientRule } from './client-rules.ts'
import type { Log } from './diagnostics.ts'
import type { DrainLimits } from './drains.ts'
import type { InitiatorFunction } from './identity.ts'
import type { McpOptions } from './mcp/injected-tools.ts'
import type { Plugin } from './plugin.ts'
import type { Provider } from './provider.ts'
import type { TracingOptions } from './tracing/tracing.ts'
import type { Layer, ProxySettings, Transport } from './upstream.ts'

/** What a gateway is put together from. Times are in ms, sizes in bytes. */
export interface GatewayOptions {
  readonly providers: readonly Provider[]
  /** Observers and recorders. @default [] */
  readonly plugins?: readonly Plugin[]
  /** Who is behind a request: nothing, or a throw, refuses it with 403. */
  readonly initiator: InitiatorFunction
  /** The HTTP client towards the providers. @default 'undici' */
  readonly transport?: 'undici' | 'got' | Transport
  /** Around the upstream call, the first one outermost. @default [] */
  readonly layers?: readonly Layer[]
  /** HTTP/2 towards the providers. @default false */
  readonly http2?: boolean
  /** @default none */
  readonly proxy?: ProxySettings
  /** Where the gateway's own words go. @default warnings and errors to `console.error` */
  readonly log?: Log
  /** Rules that tell clients apart, in their order. @default the built-in ones */
  readonly clientRules?: readonly ClientRule[]
  /** Whether clients may bring provider credentials of their own. @default true */
  readonly allowByok?: boolean
  /** In bytes, also of a decoded body. @default 32 MiB */
  readonly maxBodySize?: number
  /** How long the end of a reply waits for its records to be on disk, in ms; 0 never waits. @default 1000 */
  readonly commitWait?: number
  /** Refuse requests that can't be recorded. @default false */
  readonly requireRecording?: boolean
  /** In ms. @default 10 min */
  readonly upstreamHeadersTimeout?: number
  /** Between two reads of a reply, in ms. @default 5 min */
  readonly upstreamIdleTimeout?: number
  /** For a client that takes nothing, in ms. @default 10 min */
  readonly clientIdleTimeout?: number
  /** Records per plugin and interception. @default 1000 */
  readonly maxRecords?: number
  /** How long observers may go on after the end, in ms. @default 5000 */
  readonly settleTimeout?: number
  /** What happens upstream when the client leaves. @default 'abort' */
  readonly disconnect?: 'abort' | 'drain'
  readonly drain?: DrainLimits
  /** False: no prompts, tool inputs, results or reasoning leave the process. @default true */
  readonly recordContent?: boolean
  /** Keep `X-Sluice-Repo`, `-Branch` and `-Issue`. @default true */
  readonly annotations?: boolean
  /** Tools of MCP servers that are offered to models and run here. @default none */
  readonly mcp?: McpOptions
  /** How long `initiator` may take, in ms. @default 5000 */
  readonly identityTimeout?: number
  /** Spans for the tracer provider that is registered with `@opentelemetry/api`. @default false */
  readonly tracing?: boolean | TracingOptions
}

/** What can be changed while requests run. */
export type GatewayChanges = Partial<
  Pick<
    GatewayOptions,
    | 'providers'
    | 'clientRules'
    | 'mcp'
    | 'allowByok'
    | 'maxBodySize'
    | 'upstreamHeadersTimeout'
    | 'upstreamIdleTimeout'
    | 'clientIdleTimeout'
    | 'disconnect'
    | 'annotations'
  >
>
