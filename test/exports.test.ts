import { deepEqual } from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { test } from 'node:test'

// What the package promises: a name that goes, or comes by accident, fails here.
const source = resolve(import.meta.dirname, '../src')
const namesOf = async (file: string) => Object.keys(await import(resolve(source, file))).sort()

test('the values of `sluice`', async () => {
  deepEqual(await namesOf('index.ts'), [
    'Diagnostics',
    'SluiceError',
    'anthropic',
    'createGateway',
    'gotTransport',
    'ofType',
    'openai',
    'undiciTransport',
  ])
})

test('the types of `sluice`', () => {
  const text = readFileSync(resolve(source, 'index.ts'), 'utf8')
  const typed = [...text.matchAll(/export type \{([^}]*)\}/g)].flatMap(([, list = '']) =>
    list.split(',').map((name) => name.trim()),
  )
  const inline = [...text.matchAll(/[{,]\s*type (\w+)/g)].map(([, name = '']) => name)
  deepEqual([...typed, ...inline].filter(Boolean).sort(), [
    'AgenticAction',
    'Answer',
    'ApiOptions',
    'ClientRule',
    'Count',
    'CounterName',
    'Credential',
    'CredentialKind',
    'DamagedRecord',
    'DrainLimits',
    'EndEvent',
    'EraseQuery',
    'EraseReport',
    'Erasure',
    'Erasures',
    'ErrorEvent',
    'ErrorType',
    'EventOf',
    'EventType',
    'FeedPage',
    'FeedQuery',
    'FinishEvent',
    'FormatName',
    'Frame',
    'Gateway',
    'GatewayChanges',
    'GatewayOptions',
    'Initiator',
    'InitiatorAnswer',
    'InitiatorFunction',
    'Interception',
    'InterceptionEnd',
    'InterceptionEvent',
    'InterceptionFilter',
    'InterceptionPage',
    'InterceptionQuery',
    'InterceptionRecord',
    'InterceptionStart',
    'Layer',
    'Log',
    'LogLevel',
    'McpOptions',
    'McpServerOptions',
    'Measures',
    'ModelThought',
    'Outcome',
    'Plugin',
    'PluginContext',
    'Prompt',
    'PromptUsage',
    'Provider',
    'ProviderOptions',
    'ProxySettings',
    'PruneQuery',
    'PruneReport',
    'Purpose',
    'RawHeaders',
    'ReasoningEvent',
    'ReasoningSource',
    'RecordBody',
    'RecordOf',
    'RecordOptions',
    'RecordStamp',
    'RecordType',
    'RecordTypes',
    'Recorder',
    'RecordingPlugin',
    'ReindexReport',
    'Reply',
    'RequestEvent',
    'Send',
    'Session',
    'SessionAnswer',
    'SessionDetailQuery',
    'SessionPage',
    'SessionQuery',
    'SluiceErrorOptions',
    'StatsKey',
    'StatsQuery',
    'StatsRow',
    'Store',
    'StoreFilter',
    'StoredInterception',
    'TextEvent',
    'Thread',
    'TokenUsage',
    'ToolCallEvent',
    'ToolResult',
    'ToolResultRecord',
    'ToolUsage',
    'TracingOptions',
    'Transport',
    'TransportOptions',
    'UpstreamRequest',
    'UsageEvent',
    'ValueName',
    'ValuesQuery',
    'VerifyReport',
  ])
})

test('the values of `sluice/plugins/*`', async () => {
  const modules = globSync('plugins/*.ts', { cwd: source }).sort()
  const names = await Promise.all(
    modules.map(async (file) => `${file.slice(8, -3)}: ${(await namesOf(file)).join(', ')}`),
  )
  deepEqual(names, [
    'answers: answers',
    'capturers: capturers',
    'cost: cost',
    'gen-ai-metrics: genAiMetrics',
    'journal: deadLetters, journaled, retryDeadLetters',
    'memory-recorder: memoryRecorder',
    'metrics: metrics',
    'mongo-recorder: mongoRecorder',
    'prompt-capturer: promptCapturer',
    'reasoning-capturer: reasoningCapturer',
    'sqlite-recorder: sqliteRecorder',
    'structured-logger: logFields, logLine, structuredLogger',
    'token-counter: tokenCounter',
    'tool-call-extractor: toolCallExtractor',
  ])
})

test('the values of `sluice/testing` and `sluice/server`', async () => {
  deepEqual(await namesOf('testing.ts'), [
    'fakeEvent',
    'fakeInterception',
    'fakeUpstream',
    'recordsOf',
  ])
  deepEqual(await namesOf('server/app.ts'), ['createApp'])
})
