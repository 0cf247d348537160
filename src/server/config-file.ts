import { existsSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { parse } from 'yaml'
import { messageOf } from '../core/errors.ts'
import { isObject } from '../core/json.ts'
import type { Given } from './config.ts'
import { type Settings, settings } from './settings.ts'

/** What a configuration file says; empty where there is none. */
export interface ConfigFile {
  /** For messages: the path as the user knows it. */
  readonly name: string
  readonly settings: ReadonlyMap<keyof Settings, Given>
  readonly providers: unknown
  readonly clients: unknown
  readonly prices: unknown
  readonly mcpServers: unknown
  readonly logTransports: unknown
}

/** Found without being named, in the working folder. */
const usualNames: readonly string[] = [
  'sluice.config.yaml',
  'sluice.config.yml',
  'sluice.config.json',
]

/** Reads `path`, or the one of the usual names that exists, as YAML (of which JSON is a part). */
export function readConfigFile({
  path,
  folder,
  faults,
}: {
  path: string | undefined
  folder: string
  faults: string[]
}): ConfigFile {
  const found = usualNames.filter((name) => existsSync(resolve(folder, name)))
  if (path === undefined && found.length > 1)
    faults.push(`${found.join(' and ')}: only one of them may exist (or name one with --config)`)
  const name = path ?? found[0]
  const content = name === undefined ? {} : readContent(name, folder, faults)
  const given = new Map<keyof Settings, Given>()
  for (const [key, value] of Object.entries(content)) {
    if (
      ['providers', 'clients', 'prices', 'mcpServers', 'logTransports'].includes(key) ||
      value === null
    )
      continue
    const place = `${name}: ${key}`
    if (!isSetting(key)) faults.push(`${place}: unknown`)
    else if (settings[key].list && isPlainList(value)) given.set(key, { place, text: value.join() })
    else if (typeof value === 'object') faults.push(`${place}: must be a plain value`)
    else given.set(key, { place, text: String(value) })
  }
  return {
    name: name ?? '',
    settings: given,
    providers: content.providers ?? undefined,
    clients: content.clients ?? undefined,
    prices: content.prices ?? undefined,
    mcpServers: content.mcpServers ?? undefined,
    logTransports: content.logTransports ?? undefined,
  }
}

function readContent(
  name: string,
  folder: string,
  faults: string[],
): Readonly<Record<string, unknown>> {
  try {
    const content: unknown = parse(readFileSync(resolve(folder, name), 'utf8')) ?? {}
    if (isObject(content)) return content
    faults.push(`${name}: must hold settings by name, such as "port: 4141"`)
  } catch (error) {
    faults.push(`${name}: ${messageOf(error).split('\n')[0]?.replace(/:$/, '')}`)
  }
  return {}
}

function isPlainList(value: unknown): value is readonly unknown[] {
  return Array.isArray(value) && value.every((part) => typeof part !== 'object')
}

function isSetting(key: string): key is keyof Settings {
  return Object.hasOwn(settings, key)
}
