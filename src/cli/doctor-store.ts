import { accessSync, constants, existsSync, statSync } from 'node:fs'
import { statfs } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { messageOf } from '../core/errors.ts'
import { within } from '../core/within.ts'
import type { Config } from '../server/config.ts'
import { createStore, sqlitePath, storeName } from '../server/store.ts'
import { error, type Finding, ok, warning } from './finding.ts'
import { counted } from './tell.ts'
import { commandContext } from './with-store.ts'

const mebibyte = 1024 ** 2

/** Who else can read, and whether we can write, where data lies. */
export async function folderFindings(config: Config): Promise<Finding[]> {
  return foldersOf(config).flatMap((folder) => {
    const there = existing(folder)
    if (!statSync(there).isDirectory()) {
      const mend = 'move it away, or name a file elsewhere with --store'
      return [error('folder', `${there} is no folder, and one is needed there`, mend)]
    }
    try {
      accessSync(there, constants.W_OK | constants.X_OK)
    } catch {
      const mend = `let the user who runs the gateway write there: chown ${process.getuid?.() ?? 'USER'} ${there}`
      return [error('folder', `${there} cannot be written to`, mend)]
    }
    if (there !== folder) return [ok('folder', `${folder} will be made at the first start`)]
    const open = pathsOf(config, folder).filter((path) => (statSync(path).mode & 0o077) !== 0)
    if (open.length === 0) return [ok('folder', `${folder} is its owner’s alone`)]
    return open.map((path) =>
      warning('folder', `others on this machine can read ${path}`, `chmod go-rwx ${path}`),
    )
  })
}

/** Room for what is still to come. */
export async function diskFindings(config: Config): Promise<Finding[]> {
  const folders = [...new Set(foldersOf(config).map(existing))]
  return Promise.all(
    folders.map(async (folder) => {
      const { bavail, bsize } = await statfs(folder)
      const free = (bavail * bsize) / mebibyte
      const told = `${Math.floor(free).toLocaleString('en-US')} MiB free at ${folder}`
      const mend = 'make room, shorten retention, or name a store on another disk with --store'
      if (free < 100) return error('disk', told, mend)
      return free < 1024 ? warning('disk', told, mend) : ok('disk', told)
    }),
  )
}

/** Whether it opens and answers; `sluice verify` looks at all of it. */
export async function storeFindings(config: Config): Promise<Finding[]> {
  const name = storeName(config.store)
  const path = sqlitePath(config.store)
  if (config.store === 'memory:')
    return [ok('store', 'memory: keeps records until the gateway ends')]
  if (path !== undefined && !existsSync(path))
    return [ok('store', `${name} is not there yet: it will be made at the first start`)]
  const context = commandContext({ say: () => {} })
  const store = await createStore(config)
  try {
    const asked = store.open(context).then(() => store.interceptions({ limit: 1, running: true }))
    asked.catch(() => {})
    if (!(await within(asked, 15_000))) throw new Error('it did not answer within 15 s')
    const { count } = await asked
    const faults = store.faults?.() ?? []
    return [
      ok('store', `${name} opens and holds ${counted(count, 'interception')}`),
      ...faults.map((fault) => warning('store', fault, 'sluice verify says more')),
    ]
  } catch (cause) {
    const mend =
      path === undefined
        ? 'start it, or mend its address and its credentials in --store'
        : 'restore a backup (docs/operations.md), or name another store with --store'
    return [error('store', `${name}: ${messageOf(cause)}`, mend)]
  } finally {
    context.end()
    await within(store.close(), 5000)
  }
}

function foldersOf({ store, journal }: Config): string[] {
  const path = sqlitePath(store)
  if (path !== undefined) return [dirname(path)]
  return store.startsWith('mongodb') ? [resolve(journal)] : []
}

function pathsOf({ store }: Config, folder: string): string[] {
  const path = sqlitePath(store)
  return path !== undefined && existsSync(path) ? [folder, path] : [folder]
}

/** It, or what it will be made in. */
function existing(folder: string): string {
  return existsSync(folder) || dirname(folder) === folder ? folder : existing(dirname(folder))
}
