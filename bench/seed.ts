import { mkdirSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { openDatabase } from '../src/plugins/sqlite/open-database.ts'
import { encodeRecords } from '../src/plugins/sqlite/record-rows.ts'
import { storeWriter } from '../src/plugins/sqlite/store-writer.ts'
import { type SeedOptions, seedSessions } from './seed-data.ts'

/**
 * Fills an SQLite store through the writer itself, without its thread and without waiting for the disk. Goes on where
 * it was stopped.
 *
 *   node bench/seed.ts --dir DIR [--interceptions 2000000] [--sessions 100000] [--users 1000] [--days 60]
 */
export function seed(path: string, options: SeedOptions, say: (line: string) => void): void {
  const database = openDatabase({ path, synchronous: 'normal', processId: 'seed' })
  database.exec('PRAGMA synchronous = OFF; PRAGMA cache_size = -200000')
  const store = storeWriter(database, () => true)
  // The one that was stopped in the middle is written again: it counts once.
  const count = database.prepare('SELECT count(*) AS n FROM sessions').get()
  const from = Math.max(0, Number(count?.n) - 1)
  const began = performance.now()
  let written = 0
  let rows: (string | number)[] = []
  const flush = () => {
    if (rows.length > 0) store.write(rows)
    rows = []
  }
  for (const { session, records } of seedSessions(options, from)) {
    for (const batch of encodeRecords(records)) {
      for (const value of batch) rows.push(value)
      if (rows.length >= 6 * 3000) flush()
    }
    written += records.length / 6
    if (session % 5000 === 4999) {
      const rate = Math.round((written / (performance.now() - began)) * 1000)
      say(`${session + 1} sessions, ${rate} interceptions/s`)
    }
  }
  flush()
  database.exec('PRAGMA wal_checkpoint(TRUNCATE)')
  database.close()
}

export function seedOptions(
  args: readonly string[],
): SeedOptions & { readonly dir: string | undefined } {
  const { values } = parseArgs({
    args: [...args],
    options: {
      dir: { type: 'string' },
      interceptions: { type: 'string', default: '2000000' },
      sessions: { type: 'string' },
      users: { type: 'string', default: '1000' },
      days: { type: 'string', default: '60' },
      longest: { type: 'string', default: '10000' },
    },
  })
  const interceptions = Number(values.interceptions)
  return {
    dir: values.dir,
    interceptions,
    sessions: Number(values.sessions ?? Math.ceil(interceptions / 20)),
    users: Number(values.users),
    days: Number(values.days),
    longest: Number(values.longest),
  }
}

if (import.meta.main) {
  const options = seedOptions(process.argv.slice(2))
  if (!options.dir) throw new Error('name a folder: --dir DIR')
  mkdirSync(options.dir, { recursive: true })
  seed(`${options.dir}/sluice.db`, options, console.error)
}
