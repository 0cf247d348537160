import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { Diagnostics } from '../core/diagnostics.ts'
import { SluiceError } from '../core/errors.ts'
import type { PluginContext } from '../core/plugin.ts'
import type { Store } from '../core/store.ts'
import { type Config, readConfig } from '../server/config.ts'
import { createRecorder, createStore, sqlitePath, storeName } from '../server/store.ts'
import type { StoreFlags } from './store-command.ts'

export interface OpenStore {
  readonly store: Store
  readonly config: Config
  /** For people, without credentials. */
  readonly name: string
  /** The journal's folder, where what waits in it is covered. */
  readonly journal: string | undefined
}

export interface WithStoreOptions {
  /** One that is not there yet is made. @default false */
  readonly create?: boolean
  /** What waits on this machine for a store on the network is meant, too. @default false */
  readonly journal?: boolean
}

/** Opens the configured store, uses it and closes it again, however that ends. */
export async function withStore<T>(
  { store, journal, config: file }: Partial<StoreFlags>,
  use: (open: OpenStore) => Promise<T>,
  { create = false, journal: withJournal = false }: WithStoreOptions = {},
): Promise<T> {
  const config = readConfig({ flags: { store, journal, config: file } })
  checkStore(config.store, create)
  const folder = resolve(config.journal)
  const behind = withJournal && config.store.startsWith('mongodb') && existsSync(folder)
  const opened = await (behind ? createRecorder(config) : createStore(config))
  const context = commandContext()
  try {
    await opened.open(context)
    if (behind) await reachable(opened)
    return await use({
      store: opened,
      config,
      name: storeName(config.store),
      journal: behind ? folder : undefined,
    })
  } finally {
    // What is broken off by that is no trouble.
    context.end()
    await opened.close()
  }
}

/** The name of the store that a command would make if need be, without opening it. */
export function storeToMake({ store, config: file }: Partial<StoreFlags>): string {
  const config = readConfig({ flags: { store, config: file } })
  checkStore(config.store, true)
  return storeName(config.store)
}

/** Behind a journal a store may open later; a command has to ask it now. */
async function reachable(store: Store): Promise<void> {
  const late = performance.now() + 15_000
  while (true) {
    try {
      await store.interceptions({ limit: 1 })
      return
    } catch (error) {
      const isAway = error instanceof SluiceError && /^ERR_STORE_(AWAY|SLOW)$/.test(error.code)
      if (!isAway || performance.now() > late) throw error
    }
    await pause(100)
  }
}

/** Throws where a command has no store to work on. */
export function checkStore(url: string, create: boolean): void {
  if (url === 'memory:') {
    throw new SluiceError(
      'the store is memory:, which only its gateway sees: name sqlite:FILE or mongodb://…',
      { code: 'ERR_NO_STORE' },
    )
  }
  const path = sqlitePath(url)
  if (!create && path !== undefined && !existsSync(path)) {
    throw new SluiceError(
      `there is no store at ${storeName(url)} yet: name another one with --store`,
      { code: 'ERR_NO_STORE' },
    )
  }
}

/** For a store that a command opens: what is trouble goes to standard error, until `end`. */
export function commandContext({
  say = (text: string) => void process.stderr.write(text),
} = {}): PluginContext & { readonly end: () => void } {
  let open = true
  const diagnostics = new Diagnostics((level, message) => {
    if (open && (level === 'warn' || level === 'error')) say(`sluice: ${message}\n`)
  })
  const end = () => {
    open = false
  }
  // Who gave it a command gives it again where it failed: nothing rests on this process alone.
  return { diagnostics, journaled: true, end }
}
