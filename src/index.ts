export type { ClientRule } from './core/client-rules.ts'
export type { Credential } from './core/credentials.ts'
export type { Count, CounterName, Log, LogLevel } from './core/diagnostics.ts'
export { Diagnostics } from './core/diagnostics.ts'
export type { DrainLimits } from './core/drains.ts'
export { SluiceError, type SluiceErrorOptions } from './core/errors.ts'
export type {
  EndEvent,
  ErrorEvent,
  ErrorType,
  EventOf,
  EventType,
  FinishEvent,
  InterceptionEvent,
  Outcome,
  Prompt,
  ReasoningEvent,
  ReasoningSource,
  RequestEvent,
  TextEvent,
  ToolCallEvent,
  ToolResult,
  UsageEvent,
} from './core/events.ts'
export { ofType } from './core/events.ts'
export type { GatewayChanges, GatewayOptions } from './core/gateway-options.ts'
export type { InitiatorAnswer, InitiatorFunction } from './core/identity.ts'
export type { Initiator, Interception } from './core/interception.ts'
export type { McpOptions } from './core/mcp/injected-tools.ts'
export type { McpServerOptions } from './core/mcp/server-options.ts'
export type { Measures } from './core/measures.ts'
export type { Plugin, PluginContext, RecordingPlugin } from './core/plugin.ts'
export type { Provider, ProviderOptions } from './core/provider.ts'
export { anthropic } from './core/providers/anthropic.ts'
export { openai } from './core/providers/openai.ts'
export type {
  DamagedRecord,
  InterceptionFilter,
  InterceptionPage,
  InterceptionQuery,
  Recorder,
  StoredInterception,
  StoreFilter,
} from './core/recorder.ts'
export type {
  Answer,
  CredentialKind,
  FormatName,
  InterceptionEnd,
  InterceptionRecord,
  InterceptionStart,
  ModelThought,
  PromptUsage,
  Purpose,
  RecordBody,
  RecordOf,
  RecordOptions,
  RecordStamp,
  RecordType,
  RecordTypes,
  TokenUsage,
  ToolResultRecord,
  ToolUsage,
} from './core/records.ts'
export type { Session } from './core/session.ts'
export type { Frame } from './core/sse.ts'
export type {
  EraseQuery,
  EraseReport,
  Erasure,
  Erasures,
  FeedPage,
  FeedQuery,
  PruneQuery,
  PruneReport,
  ReindexReport,
  SessionAnswer,
  SessionDetailQuery,
  SessionPage,
  SessionQuery,
  StatsKey,
  StatsQuery,
  StatsRow,
  Store,
  ValueName,
  ValuesQuery,
  VerifyReport,
} from './core/store.ts'
export type { AgenticAction, Thread } from './core/thread.ts'
export type { TracingOptions } from './core/tracing/tracing.ts'
export { gotTransport } from './core/transports/got.ts'
export { undiciTransport } from './core/transports/undici.ts'
export type {
  Layer,
  ProxySettings,
  RawHeaders,
  Reply,
  Send,
  Transport,
  TransportOptions,
  UpstreamRequest,
} from './core/upstream.ts'
export { type ApiOptions, createGateway, type Gateway } from './server/api/gateway.ts'
