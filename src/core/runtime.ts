import type { ClientRule } from './client-rules.ts'
import type { Diagnostics } from './diagnostics.ts'
import type { Drains } from './drains.ts'
import type { Gate } from './gate.ts'
import type { Identify } from './identity.ts'
import type { Lineage } from './lineage.ts'
import type { InjectedTools } from './mcp/injected-tools.ts'
import type { OpenRequests } from './open-requests.ts'
import type { PipelineOptions } from './pipeline.ts'
import type { Provider } from './provider.ts'
import type { Retries } from './retries.ts'
import type { Tracing } from './tracing/tracing.ts'
import type { Send } from './upstream.ts'

/** What one gateway's requests share: made once by `createGateway`, read by all that serve a request. */
export interface Runtime {
  readonly providers: ReadonlyMap<string, Provider>
  readonly identify: Identify
  readonly send: Send
  readonly clientRules: readonly ClientRule[]
  readonly diagnostics: Diagnostics
  readonly gate: Gate
  readonly lineage: Lineage
  readonly retries: Retries
  /** Null where no MCP servers are configured. */
  readonly injectedTools: InjectedTools | null
  readonly drains: Drains
  /** Null where nothing is traced. */
  readonly tracing: Tracing | null
  /** Built afresh for each interception: plugins that fail to open are left out until they do. */
  pipeline(): PipelineOptions
  readonly settings: RuntimeSettings
  /** Requests that are being served, so that a shutdown can wait for them and end them. */
  readonly open: OpenRequests
  readonly state: { draining: boolean }
}

export interface RuntimeSettings {
  readonly allowByok: boolean
  readonly maxBodySize: number
  readonly requireRecording: boolean
  readonly upstreamHeadersTimeout: number
  readonly upstreamIdleTimeout: number
  readonly clientIdleTimeout: number
  readonly disconnect: 'abort' | 'drain'
  readonly annotations: boolean
}
