import { resolve } from 'node:path'
import { z } from 'zod'
import type { ConfigFile } from './config-file.ts'
import { readSecret } from './config-secret.ts'
import { httpUrl, positiveDuration, size, wholeNumber } from './units.ts'

/** Where lines go beside standard error, and which. */
export type LogTransportOptions = {
  /** The gateway's own words, the records it keeps, or both. */
  readonly lines: readonly ('log' | 'records')[]
  /** Of the gateway's own words. */
  readonly level: 'error' | 'warn' | 'info' | 'debug'
} & (
  | { readonly type: 'console' }
  | {
      readonly type: 'file'
      readonly path: string
      readonly maxSize: number
      readonly maxFiles: number
    }
  | {
      readonly type: 'syslog'
      readonly url: string
      readonly facility: number
      readonly app: string
    }
  | {
      readonly type: 'http'
      readonly url: string
      readonly headers: Readonly<Record<string, string>>
      readonly body: 'ndjson' | 'json'
      readonly timeout: number
    }
)

const common = {
  lines: z
    .array(z.enum(['log', 'records']))
    .min(1)
    .default(['log', 'records']),
  level: z.enum(['error', 'warn', 'info', 'debug']).default('info'),
}
/** YAML makes numbers of some. */
const text = <T>(schema: z.ZodType<T>, fallback: string) =>
  z.coerce
    .string()
    .default(fallback)
    .pipe(schema as z.ZodType<T, string>)

const transport = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('console'), ...common }),
  z.strictObject({
    type: z.literal('file'),
    path: z.string().min(1),
    maxSize: text(size, '64MiB'),
    maxFiles: text(wholeNumber(1, 1000), '5'),
    ...common,
  }),
  z.strictObject({
    type: z.literal('syslog'),
    url: z.string().regex(/^(udp|tcp):\/\/(\[[^\]]+\]|[^/:@]+)(:\d{1,5})?$|^unix:\/.+$/, {
      error: 'must be udp://host:port, tcp://host:port or unix:/path',
    }),
    facility: text(wholeNumber(0, 23), '16'),
    app: z
      .string()
      .regex(/^[\x21-\x7e]{1,48}$/, { error: 'must be 1 to 48 visible characters' })
      .default('sluice'),
    ...common,
  }),
  z.strictObject({
    type: z.literal('http'),
    url: httpUrl,
    headers: z.record(z.string(), z.coerce.string()).default({}),
    tokenFile: z.string().optional(),
    body: z.enum(['ndjson', 'json']).default('ndjson'),
    timeout: text(positiveDuration, '10s'),
    ...common,
  }),
])

/** The file's `logTransports`. */
export function readLogTransports(
  { logTransports = [], name }: ConfigFile,
  folder: string,
  faults: string[],
): readonly LogTransportOptions[] {
  const result = z.array(transport, { error: 'must be a list' }).safeParse(logTransports)
  if (!result.success) {
    for (const { path, message } of result.error.issues)
      faults.push(`${name}: ${['logTransports', ...path].map(String).join('.')}: ${message}`)
    return []
  }
  return result.data.map((given, at) => {
    if (given.type === 'file') return { ...given, path: resolve(folder, given.path) }
    if (given.type !== 'http') return given
    const { tokenFile, ...rest } = given
    if (tokenFile === undefined) return rest
    const place = `${name}: logTransports.${at}.tokenFile`
    const token = readSecret(tokenFile, place, faults, folder) ?? ''
    return { ...rest, headers: { ...rest.headers, authorization: `Bearer ${token}` } }
  })
}
