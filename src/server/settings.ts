import { z } from 'zod'
import type { LogLevel } from '../core/diagnostics.ts'
import { duration, httpUrl, positiveDuration, size, truth, wholeNumber } from './units.ts'

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
  readonly auth: 'none'
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
}

/** One setting: how its text is read, what it is where nothing is said, and its line of help. */
export interface Setting<T> {
  readonly schema: z.ZodType<T>
  /** As a user would write it; undefined where the setting has no default. */
  readonly fallback: string | undefined
  readonly help: string
  /** What stands for its value in the help; undefined for a switch (`--x`, `--no-x`). */
  readonly placeholder: string | undefined
  /** May hold a credential: also read from the file that `SLUICE_…_FILE` names, and never printed. */
  readonly secret: boolean
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
  auth: value(authMode(), 'none', 'who may use the gateway: none = this machine', 'none'),
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

function value<T>(
  schema: z.ZodType<T>,
  fallback: string,
  help: string,
  placeholder: string,
): Setting<T> {
  return { schema, fallback, help, placeholder, secret: false }
}

function optional(
  schema: z.ZodType<string>,
  help: string,
  placeholder: string,
): Setting<string | undefined> {
  return { schema, fallback: undefined, help, placeholder, secret: false }
}

function secret(help: string): Setting<string | undefined> {
  return { ...optional(z.string(), help, 'key'), secret: true }
}

function text(fallback: string, help: string, placeholder: string): Setting<string> {
  return value(z.string().min(1, { error: 'must not be empty' }), fallback, help, placeholder)
}

function toggle(fallback: 'true' | 'false', help: string): Setting<boolean> {
  return { schema: truth, fallback, help, placeholder: undefined, secret: false }
}

function choice<const T extends string>(
  values: readonly T[],
  fallback: NoInfer<T>,
  help: string,
): Setting<T> {
  const schema = z.enum(values, { error: `must be ${list(values)}` }) as unknown as z.ZodType<T>
  return value(schema, fallback, help, values.join('|'))
}

function storeUrl(): z.ZodType<string> {
  return z.string().refine((url) => /^(sqlite:.|mongodb(\+srv)?:\/\/.|memory:$)/.test(url), {
    error: 'must be sqlite:FILE, mongodb://… or memory:',
  })
}

function authMode(): z.ZodType<'none'> {
  return z.string().transform((mode, context) => {
    if (mode === 'none') return mode
    const later = ['tokens', 'jwt', 'header'].includes(mode)
    context.addIssue({
      code: 'custom',
      message: later ? 'is not available yet: only none is' : 'must be none',
    })
    return z.NEVER
  })
}

function list(values: readonly string[]): string {
  return `${values.slice(0, -1).join(', ')} or ${values.at(-1)}`
}
