import assert from 'node:assert/strict'
import { join } from 'node:path'
import { interceptionId } from '../../src/core/ids.ts'
import type { InterceptionStart } from '../../src/core/records.ts'
import type { Store } from '../../src/core/store.ts'
import { createStore } from '../../src/server/store.ts'
import { type CommandOptions, type Finished, runCommand, workFolder } from './gateway-process.ts'
import { at, end, prompt, start, tool, usage } from './stored-records.ts'

/** A folder with a store where commands look for one. */
export interface StoreFolder {
  readonly folder: string
  readonly path: string
  readonly url: string
}

export function storeFolder(): StoreFolder {
  const folder = workFolder()
  const path = join(folder, 'sluice-data', 'sluice.db')
  return { folder, path, url: `sqlite:${path}` }
}

/** Opens the store that a URL names, and closes it again. */
export async function inStore<T>(url: string, use: (store: Store) => Promise<T>): Promise<T> {
  const store = await createStore({ store: url, sqliteSynchronous: 'normal' })
  try {
    await store.open()
    return await use(store)
  } finally {
    await store.close()
  }
}

export interface Sample extends Partial<InterceptionStart> {
  readonly text?: string
  /** When it starts, in ms after the others' epoch. */
  readonly ms?: number
}

/** Stores interceptions of five records each; tells their ids. */
export async function fill(store: Store, samples: readonly Sample[]): Promise<string[]> {
  const ids: string[] = []
  for (let from = 0; from < samples.length; from += 60) {
    const records = samples
      .slice(from, from + 60)
      .flatMap(({ text = 'Hello', ms = 0, ...body }) => {
        const id = interceptionId()
        ids.push(id)
        return [
          start(id, { startedAt: at(ms), ...body }),
          prompt(id, text),
          tool(id, 2, 'Bash'),
          usage(id, { seq: 3, outputTokens: 5 }),
          end(id, {}, 4),
        ]
      })
    await store.record(records)
  }
  return ids
}

/** Some that differ in time alone. */
export function many(count: number, body: Sample = {}): Sample[] {
  return Array.from({ length: count }, (_, index) => ({ ms: index, ...body }))
}

/** Runs a command that must end well, and gives what it printed. */
export async function sluice(args: readonly string[], options: CommandOptions): Promise<string> {
  const { code, stdout, stderr } = await runCommand(args, options)
  assert.equal(stderr, '', args.join(' '))
  assert.equal(code, 0, args.join(' '))
  return stdout
}

/** Runs one that must end with 1. */
export async function refused(args: readonly string[], options: CommandOptions): Promise<Finished> {
  const finished = await runCommand(args, options)
  assert.equal(finished.code, 1, `${args.join(' ')}: ${finished.stdout}${finished.stderr}`)
  return finished
}
