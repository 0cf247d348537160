import { userInfo } from 'node:os'
import type { ClientRule } from '../core/client-rules.ts'
import { SluiceError } from '../core/errors.ts'
import type { McpServerOptions } from '../core/mcp/server-options.ts'
import type { Provider } from '../core/provider.ts'
import { withoutUrlCredentials } from '../core/secrets.ts'
import type { ProxySettings } from '../core/upstream.ts'
import type { ModelPrices } from '../plugins/prices/own-price.ts'
import { clashes } from './config-clashes.ts'
import { readClients } from './config-clients.ts'
import { type ConfigFile, readConfigFile } from './config-file.ts'
import { type LogTransportOptions, readLogTransports } from './config-log-transports.ts'
import { readMcpServers } from './config-mcp.ts'
import { readPrices } from './config-prices.ts'
import { readProviders } from './config-providers.ts'
import { readProxy } from './config-proxy.ts'
import { readSecret } from './config-secret.ts'
import { readTls, type TlsFiles } from './config-tls.ts'
import { unknownVariables } from './config-variables.ts'
import { flagOf, type Settings, settingNames, settings, variableOf } from './settings.ts'

/** What `serve` runs by: every setting parsed, the providers made, nothing left to look up. */
export interface Config extends Settings {
  readonly providers: readonly Provider[]
  readonly clients: readonly ClientRule[]
  /** The user's own, by model. */
  readonly prices: Readonly<Record<string, ModelPrices>>
  /** Whose tools are offered to models, by name. */
  readonly mcpServers: Readonly<Record<string, McpServerOptions>>
  /** Where log lines and records go beside standard error. */
  readonly logTransports: readonly LogTransportOptions[]
  readonly proxy: ProxySettings
  /** In PEM; undefined: plain http. */
  readonly tls: TlsFiles | undefined
  /** A simulated provider in place of the real ones. */
  readonly demo: boolean
  /** The demo's store is its own, to be emptied; not one that the user named. */
  readonly ownDemoStore: boolean
  /** Who uses the gateway where nobody says so: the user of the operating system. */
  readonly user: string
}

/** Where settings come from, strongest first: flags, environment, file. */
export interface ConfigSources {
  /** By setting name, as the command line gave them; `config` and `demo` too. */
  readonly flags?: Readonly<Record<string, unknown>>
  /** Arguments that no option took. */
  readonly unknown?: readonly string[]
  readonly env?: Readonly<Record<string, string | undefined>>
  readonly folder?: string
}

/** A setting as somebody wrote it, and where. */
export interface Given {
  readonly place: string
  readonly text: string
}

export type GivenSettings = ReadonlyMap<keyof Settings, Given>

/** Reads all settings. Throws one `SluiceError` `ERR_CONFIG` whose message names every fault and its place. */
export function readConfig(sources: ConfigSources = {}): Config {
  const { config, faults } = inspectConfig(sources)
  if (faults.length > 0) throw configError(faults)
  return config
}

/** All settings as far as they can be read, where each was said, and what is wrong with them. */
export interface Inspection {
  readonly config: Config
  readonly faults: readonly string[]
  readonly given: GivenSettings
  /** The configuration file, if there is one. */
  readonly file: string | undefined
  /** `SLUICE_…` variables that nobody reads. */
  readonly unknownVariables: readonly string[]
}

export function inspectConfig({
  flags = {},
  unknown = [],
  env = process.env,
  folder = process.cwd(),
}: ConfigSources = {}): Inspection {
  const faults = unknown.map((argument) => `${argument}: unknown (see sluice serve --help)`)
  const path = textOf(flags.config) ?? (env.SLUICE_CONFIG || undefined)
  const file = readConfigFile({ path, folder, faults })
  const given = gather({ flags, env, file, faults })
  const demo = flags.demo === true
  const ownDemoStore = demo && !given.has('store')
  if (ownDemoStore) given.set('store', { place: '--demo', text: 'sqlite:./sluice-data/demo.db' })
  const parsed = parse(given, faults)
  const config: Config = {
    ...parsed,
    providers: readProviders({ settings: parsed, given, file, folder, faults }),
    clients: readClients(file, faults),
    prices: readPrices(file, faults),
    mcpServers: readMcpServers(file, faults),
    logTransports: readLogTransports(file, folder, faults),
    proxy: readProxy(env, faults),
    tls: readTls({ settings: parsed, given, folder, faults }),
    demo,
    ownDemoStore,
    user: osUser(env),
  }
  faults.push(...clashes(config, given, file))
  return {
    config,
    faults,
    given,
    file: file.name || undefined,
    unknownVariables: unknownVariables(env),
  }
}

/** Where a command finds the API of a running gateway; without a URL it works on the store. */
export interface ApiAddress {
  readonly url: string | undefined
  readonly token: string | undefined
}

export function readApiAddress({
  flags = {},
  env = process.env,
}: Pick<ConfigSources, 'flags' | 'env'> = {}): ApiAddress {
  const given = textOf(flags.url)
  const url = given ?? (env.SLUICE_URL || undefined)
  if (url === undefined) return { url, token: undefined }
  const faults: string[] = []
  if (!/^https?:$/.test(URL.parse(url)?.protocol ?? ''))
    faults.push(
      `${given === undefined ? 'SLUICE_URL' : '--url'}: must be an http:// or https:// URL`,
    )
  const { SLUICE_TOKEN: text, SLUICE_TOKEN_FILE: path } = env
  if (text && path) faults.push('SLUICE_TOKEN and SLUICE_TOKEN_FILE: only one of them may be set')
  const token = text || (path ? readSecret(path, 'SLUICE_TOKEN_FILE', faults) : undefined)
  if (faults.length > 0) throw configError(faults)
  return { url, token }
}

function gather({
  flags,
  env,
  file,
  faults,
}: {
  flags: Readonly<Record<string, unknown>>
  env: Readonly<Record<string, string | undefined>>
  file: ConfigFile
  faults: string[]
}): Map<keyof Settings, Given> {
  const given = new Map<keyof Settings, Given>()
  for (const name of settingNames) {
    const found =
      fromFlag(name, flags) ?? fromVariable(name, env, faults) ?? file.settings.get(name)
    if (found) given.set(name, found)
  }
  return given
}

function fromFlag(
  name: keyof Settings,
  flags: Readonly<Record<string, unknown>>,
): Given | undefined {
  const text = textOf(flags[name])
  return text === undefined ? undefined : { place: flagOf(name), text }
}

function fromVariable(
  name: keyof Settings,
  env: Readonly<Record<string, string | undefined>>,
  faults: string[],
): Given | undefined {
  const usual = variableOf(name)
  const place = env[usual] ? usual : (aliases[name] ?? usual)
  const text = env[place] || undefined
  const path = settings[name].secret ? env[`${place}_FILE`] || undefined : undefined
  if (path !== undefined) {
    if (text !== undefined) faults.push(`${place} and ${place}_FILE: only one of them may be set`)
    const secret = readSecret(path, `${place}_FILE`, faults)
    return secret === undefined ? undefined : { place: `${place}_FILE`, text: secret }
  }
  // Kubernetes sets this for a service named "sluice".
  if (name === 'port' && text?.startsWith('tcp://')) return undefined
  return text === undefined ? undefined : { place, text }
}

/** Names that others use for the same. */
const aliases: { readonly [K in keyof Settings]?: string } = { trace: 'SLUICE_TRACE_ENABLE' }

function parse(given: GivenSettings, faults: string[]): Settings {
  const parsed: Record<string, unknown> = {}
  for (const name of settingNames) {
    const { schema, fallback, secret, list } = settings[name]
    const { place, text } = given.get(name) ?? { place: flagOf(name), text: fallback }
    if (list) parsed[name] = []
    if (text === undefined) continue
    const result = schema.safeParse(text)
    if (result.success) parsed[name] = result.data
    else {
      const shown = secret ? '' : ` (it is ${JSON.stringify(withoutUrlCredentials(text))})`
      faults.push(`${place}: ${result.error.issues[0]?.message}${shown}`)
      // Go on with the default, so that the other faults are found, too.
      if (!list) parsed[name] = fallback === undefined ? undefined : schema.parse(fallback)
    }
  }
  return parsed as unknown as Settings
}

function configError(faults: readonly string[]): SluiceError {
  const head =
    faults.length === 1
      ? 'the configuration has a fault'
      : `the configuration has ${faults.length} faults`
  return new SluiceError(`${head}:\n${faults.map((fault) => `  ${fault}`).join('\n')}`, {
    code: 'ERR_CONFIG',
  })
}

function textOf(value: unknown): string | undefined {
  return value === undefined || value === null ? undefined : String(value)
}

function osUser(env: Readonly<Record<string, string | undefined>>): string {
  try {
    return userInfo().username
  } catch {
    // A container may run under a number that has no name.
    return env.USER || `uid-${process.getuid?.() ?? 'unknown'}`
  }
}
