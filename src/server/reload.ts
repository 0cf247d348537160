import { isDeepStrictEqual } from 'node:util'
import type { Log } from '../core/diagnostics.ts'
import { messageOf } from '../core/errors.ts'
import type { Config } from './config.ts'
import { packConfig } from './packed-config.ts'
import { flagOf } from './settings.ts'

/** What runs by a configuration, and takes another one as a whole. */
export interface Reloadable {
  readonly config: Config
  reload(config: Config): void
}

export interface ReloadOptions {
  /** Reads all that was read at the start. Throws where there is a fault. */
  readonly read: () => Config
  readonly target: Reloadable
  readonly log: Log
}

/** Reads the configuration again and has what can change change; a faulty one changes nothing. One line says so. */
export function reload({ read, target, log }: ReloadOptions): void {
  try {
    const { config, changed, fixed } = reloadedConfig(target.config, read())
    if (changed.length > 0) target.reload(config)
    if (fixed.length > 0) log('warn', `only a restart changes ${fixed.join(', ')}`)
    const what = changed.length > 0 ? changed.join(', ') : 'nothing has changed'
    log('info', `the configuration was reloaded: ${what}`)
  } catch (error) {
    const [head = '', ...faults] = messageOf(error).split('\n')
    const told = [head, faults.map((fault) => fault.trim()).join('; ')].join(' ').trim()
    log('error', `the configuration was not reloaded, the old one goes on: ${told}`)
  }
}

/** `current` with what a reload can take of `wanted`, the names of that, and of what differs and stays. */
export function reloadedConfig(
  current: Config,
  wanted: Config,
): { readonly config: Config; readonly changed: string[]; readonly fixed: string[] } {
  const [before, after] = [packConfig(current), packConfig(wanted)] as const
  const names = Object.keys(after) as (keyof Config)[]
  const differ = names.filter(
    (name) => !withinOthers.has(name) && !isDeepStrictEqual(before[name], after[name]),
  )
  // A server takes another certificate, but does not become one of the other kind.
  const sameKind = (current.tls === undefined) === (wanted.tls === undefined)
  const changes = (name: keyof Config) => (name === 'tls' ? sameKind : reloadable.has(name))
  const taken = [...reloadable, ...(sameKind ? tlsNames : [])]
  return {
    config: { ...current, ...Object.fromEntries(taken.map((name) => [name, wanted[name]])) },
    changed: differ.filter(changes).map(wordOf),
    fixed: differ.filter((name) => !changes(name)).map(wordOf),
  }
}

/** What they say is told under another name: a provider has its key, `tls` the files' content. */
const tlsNames = ['tls', 'tlsCertFile', 'tlsKeyFile'] as const
const ofProviders = [
  'anthropicBaseUrl',
  'anthropicKey',
  'openaiBaseUrl',
  'openaiKey',
  'chatUsage',
] as const
const withinOthers: ReadonlySet<keyof Config> = new Set([
  ...ofProviders,
  'tlsCertFile',
  'tlsKeyFile',
])

const reloadable: ReadonlySet<keyof Config> = new Set([
  'providers',
  ...ofProviders,
  'clients',
  'prices',
  'cost',
  'mcpServers',
  'mcpPrefix',
  'mcpPoolTtl',
  'mcpPoolSize',
  'mcpMaxRounds',
  'mcpMaxCalls',
  'mcpCallTimeout',
  'mcpTotalTimeout',
  'mcpMaxResult',
  'mcpParallel',
  'allowByok',
  'maxBodySize',
  'upstreamHeadersTimeout',
  'upstreamIdleTimeout',
  'clientIdleTimeout',
  'disconnect',
  'annotations',
  'retention',
  'retentionContent',
  'logLevel',
])

/** As it is written in the file, or as a flag without its hyphens. */
function wordOf(name: keyof Config): string {
  if (name === 'tls') return 'tls-cert-file'
  return ['mcpServers', 'providers', 'clients', 'prices'].includes(name)
    ? name
    : flagOf(name).slice(2)
}
