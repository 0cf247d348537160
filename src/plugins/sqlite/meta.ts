import type { DatabaseSync } from 'node:sqlite'

/** Small facts about the store, by name. */
export interface Meta {
  text(name: string): string | null
  number(name: string): number | null
  set(name: string, value: string | number | bigint | null): void
}

export function meta(database: DatabaseSync): Meta {
  const get = database.prepare('SELECT CAST(value AS TEXT) AS value FROM meta WHERE name = ?')
  const put = database.prepare('INSERT OR REPLACE INTO meta VALUES (?, ?)')
  function text(name: string): string | null {
    const value = get.get(name)?.value
    return typeof value === 'string' ? value : null
  }
  return {
    text,
    number: (name) => {
      const value = text(name)
      return value === null ? null : Number(value)
    },
    set: (name, value) => {
      put.run(name, value)
    },
  }
}
