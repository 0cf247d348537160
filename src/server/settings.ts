import { z } from 'zod'
import type { LogLevel } from '../core/diagnostics.ts'
import { isNetwork } from './identity/networks.ts'
import { isOrigin } from './origins.ts'
import {
  bootstrapToken,
  choice,
  headerName,
  optional,
  type Setting,
  secret,
  several,
  storeUrl,
  text,
  toggle,
  value,
} from './setting-kinds.ts'
import { duration, httpUrl, positiveDuration, size, wholeNumber } from './units.ts'

/** Who may use the gateway: whoever is on this machine, or who is told by a token, a JWT, a proxy. */
export type AuthMode = 'none' | 'tokens' | 'jwt' | 'header'

/** All that a flag, an environment variable or a top-level key of the file can say, parsed. */
export interface Settings {
  readonly host: string
  readonly port: number
  readonly transport: 'undici' | 'got'
  readonly upstreamHttp2: boolean
  readonly store: string
  readonly sqliteSynchronous: 'full' | 'normal'
  readonly journal: string
  readonly journalMax: number
  readonly auth: AuthMode
  readonly jwtIssuer: string | undefined
  readonly jwtAudience: string | undefined
  readonly jwtJwksUrl: string | undefined
  readonly jwtUsernameClaim: string
  readonly jwtRoleClaim: string
  readonly authHeader: string
  readonly trustedProxies: readonly string[]
  readonly bootstrapToken: string | undefined
  readonly tlsCertFile: string | undefined
  readonly tlsKeyFile: string | undefined
  readonly corsOrigins: readonly string[]
  readonly anthropicBaseUrl: string | undefined
  readonly anthropicKey: string | undefined
  readonly openaiBaseUrl: string | undefined
  readonly openaiKey: string | undefined
  readonly allowByok: boolean
  readonly chatUsage: 'auto' | 'ask' | 'off'
  readonly upstreamHeadersTimeout: number
  readonly upstreamIdleTimeout: number
  readonly disconnect: 'abort' | 'drain'
  readonly drainMaxTime: number
  readonly drainMaxBytes: number
  readonly drainMaxCount: number
  readonly maxBodySize: number
  readonly commitWait: number
  readonly requireRecording: boolean
  readonly clientIdleTimeout: number
  readonly drainTimeout: number
  readonly retention: number
  readonly retentionContent: number | undefined
  readonly recordContent: boolean
  readonly toolResults: boolean
  readonly answers: boolean
  readonly cost: boolean
  readonly annotations: boolean
  readonly maxRecords: number
  readonly settleTimeout: number
  readonly structuredLogging: boolean
  readonly structuredLogFile: string | undefined
  readonly logContent: 'full' | 'redacted' | 'omit'
  readonly logFormat: 'text' | 'json'
  readonly logLevel: LogLevel
  readonly trace: boolean
  readonly traceLogs: boolean
  readonly semconv: '1.41' | 'genai-dev' | 'both'
  readonly traceContent: boolean
  readonly otelLogs: boolean
  readonly metricsInitiator: boolean
  readonly otelMetrics: boolean
  readonly mcpPrefix: string
  readonly mcpPoolTtl: number
  readonly mcpPoolSize: number
  readonly mcpMaxRounds: number
  readonly mcpMaxCalls: number
  readonly mcpCallTimeout: number
  readonly mcpTotalTimeout: number
  readonly mcpMaxResult: number
  readonly mcpParallel: boolean
  readonly workers: number
}

/** The one definition of every setting: flags, help, environment and file follow from it. */
export const settings: { readonly [K in keyof Settings]: Setting<Settings[K]> } = {
  host: text('127.0.0.1', 'address to listen on (loopback only while auth is none)', 'address'),
  port: value(wholeNumber(0, 65_535), '4141', 'port to listen on, 0 for any free one', 'number'),
  transport: choice(['undici', 'got'], 'undici', 'HTTP client for the upstream'),
  upstreamHttp2: toggle('false', 'negotiate HTTP/2 with the upstream'),
  store: {
    ...value(storeUrl(), 'sqlite:./sluice-data/sluice.db', 'where records are kept', 'url'),
    secret: true,
  },
  sqliteSynchronous: choice(
    ['full', 'normal'],
    'full',
    'normal is faster and survives a crash of the gateway, but not a power cut',
  ),
  journal: text(
    './sluice-data/journal',
    'folder in which records wait for a mongodb:// store',
    'folder',
  ),
  journalMax: value(
    size.refine((bytes) => bytes >= 1024 ** 2, { error: 'must be 1MiB or more' }),
    '1GiB',
    'the most that the journal takes on disk',
    'size',
  ),
  auth: choice(
    ['none', 'tokens', 'jwt', 'header'],
    'none',
    'who may use the gateway: none = this machine, tokens = users of the store',
  ),
  jwtIssuer: optional(httpUrl, 'who signs the tokens of auth jwt', 'url'),
  jwtAudience: optional(z.string(), 'whom those tokens must be made out to', 'name'),
  jwtJwksUrl: optional(httpUrl, 'the issuer’s keys, if it does not publish where they are', 'url'),
  jwtUsernameClaim: text('preferred_username', 'claim that names the user', 'claim'),
  jwtRoleClaim: text('roles', 'claim that may hold owner, auditor or member', 'claim'),
  authHeader: value(
    headerName(),
    'X-Forwarded-User',
    'where the trusted proxy of auth header names the user',
    'header',
  ),
  trustedProxies: several(
    isNetwork,
    'must be addresses or networks such as 10.0.0.0/8',
    'addresses and networks of the proxies in front',
    'networks',
  ),
  bootstrapToken: {
    ...secret('token of the first owner, made where the store has no user'),
    schema: bootstrapToken(),
    placeholder: 'token',
  },
  tlsCertFile: optional(z.string(), 'certificate chain (PEM): serves https', 'file'),
  tlsKeyFile: optional(z.string(), 'its private key (PEM)', 'file'),
  corsOrigins: several(
    isOrigin,
    'must be origins such as https://dash.example',
    'origins whose web pages may use the REST API',
    'origins',
  ),
  anthropicBaseUrl: optional(httpUrl, 'base URL of /anthropic, if not the vendor’s', 'url'),
  anthropicKey: secret('key for /anthropic, where a client brings none'),
  openaiBaseUrl: optional(httpUrl, 'base URL of /openai, if not the vendor’s', 'url'),
  openaiKey: secret('key for /openai, where a client brings none'),
  allowByok: toggle('true', 'let clients use provider keys of their own'),
  chatUsage: choice(
    ['auto', 'ask', 'off'],
    'auto',
    'ask for usage in Chat streams: auto = of the vendor’s own base URL only',
  ),
  upstreamHeadersTimeout: value(positiveDuration, '10m', 'wait for a reply to begin', 'duration'),
  upstreamIdleTimeout: value(positiveDuration, '5m', 'wait for the next chunk', 'duration'),
  disconnect: choice(
    ['abort', 'drain'],
    'abort',
    'when a client leaves: abort the upstream, or drain it to learn the usage',
  ),
  drainMaxTime: value(positiveDuration, '60s', 'longest drain of one reply', 'duration'),
  drainMaxBytes: value(size, '16MiB', 'largest drain of one reply', 'size'),
  drainMaxCount: value(wholeNumber(0, 100_000), '32', 'drains at a time', 'number'),
  maxBodySize: value(size, '32MiB', 'largest request body', 'size'),
  commitWait: value(
    duration,
    '1s',
    'how long the end of a reply waits for its records to be on disk, 0 = never',
    'duration',
  ),
  requireRecording: toggle('false', 'refuse requests (503) while records cannot be committed'),
  clientIdleTimeout: value(positiveDuration, '10m', 'cut a client that takes nothing', 'duration'),
  drainTimeout: value(duration, '30s', 'how long a shutdown waits for open streams', 'duration'),
  retention: value(duration, '60d', 'how long interceptions are kept, 0 = for ever', 'duration'),
  retentionContent: {
    ...value<number | undefined>(
      duration,
      '',
      'how long what people and models wrote is kept (default: as retention)',
      'duration',
    ),
    fallback: undefined,
  },
  recordContent: toggle('true', 'keep prompts, tool inputs and reasoning, not only their names'),
  toolResults: toggle('false', 'keep the content of tool results, too'),
  answers: toggle('false', 'keep the text of what the model answered'),
  cost: toggle('true', 'price what replies used; prices of your own: `prices` in the file'),
  annotations: toggle('true', 'keep X-Sluice-Repo, -Branch and -Issue'),
  maxRecords: value(
    wholeNumber(1, 1_000_000),
    '1000',
    'records per plugin and interception',
    'number',
  ),
  settleTimeout: value(duration, '5s', 'wait for late records of a plugin', 'duration'),
  structuredLogging: toggle('false', 'write each record as a JSON line'),
  structuredLogFile: optional(z.string(), 'file for those lines, if not standard error', 'file'),
  logContent: choice(['full', 'redacted', 'omit'], 'full', 'what of the content those lines hold'),
  logFormat: choice(['text', 'json'], 'text', 'lines of this program on standard error'),
  logLevel: choice(['error', 'warn', 'info', 'debug'], 'info', 'least level that is written'),
  trace: toggle('false', 'export spans by OpenTelemetry (where to: the OTEL_* variables)'),
  traceLogs: toggle('false', 'with trace: log lines as events of the spans'),
  semconv: choice(['1.41', 'genai-dev', 'both'], '1.41', 'names of GenAI attributes and metrics'),
  traceContent: toggle(
    'false',
    'with trace: messages and arguments of tools in spans, cut to 16 KiB',
  ),
  otelLogs: toggle('false', 'export each record as a log record by OpenTelemetry'),
  metricsInitiator: toggle('false', 'metrics by initiator, too: where those are few'),
  otelMetrics: toggle('false', 'export GenAI metrics by OpenTelemetry'),
  mcpPrefix: value(
    z.string().regex(/^[A-Za-z0-9_-]{1,16}$/, {
      error: 'must be 1 to 16 letters, digits, hyphens and underscores',
    }),
    'bmcp',
    'what names of tools of MCP servers begin with',
    'text',
  ),
  mcpPoolTtl: value(positiveDuration, '15m', 'use connections to MCP servers so long', 'duration'),
  mcpPoolSize: value(
    wholeNumber(1, 1_000_000),
    '1000',
    'users for whom connections to MCP servers are kept',
    'number',
  ),
  mcpMaxRounds: value(
    wholeNumber(1, 1000),
    '20',
    'upstream calls within one reply, where tools of MCP servers are run',
    'number',
  ),
  mcpMaxCalls: value(
    wholeNumber(0, 10_000),
    '64',
    'calls of such tools within one reply',
    'number',
  ),
  mcpCallTimeout: value(positiveDuration, '60s', 'wait for the result of such a call', 'duration'),
  mcpTotalTimeout: value(
    positiveDuration,
    '10m',
    'longest reply, from the first call of such a tool on',
    'duration',
  ),
  mcpMaxResult: value(size, '1MiB', 'what of such a result goes to the model', 'size'),
  mcpParallel: toggle('false', 'let models call several such tools at once'),
  workers: value(
    wholeNumber(1, 64),
    '1',
    'processes that serve, on one port and one store (not memory:)',
    'number',
  ),
}

/** The names of all settings, as in the file. */
export const settingNames: readonly (keyof Settings)[] = Object.keys(settings) as (keyof Settings)[]

/** `upstreamHttp2` → `--upstream-http2`. */
export function flagOf(name: string): string {
  return `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`
}

/** `upstreamHttp2` → `SLUICE_UPSTREAM_HTTP2`. */
export function variableOf(name: string): string {
  return `SLUICE_${name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`
}
