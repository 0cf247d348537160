import type { DatabaseSync } from 'node:sqlite'

/** Numbers for texts, and for what is made of such numbers; given out within a transaction. */
export interface Vocabulary {
  name(text: string): number
  initiator(id: string, username: string): number
  combo(parts: ComboParts): number
  kind(parts: KindParts): number
  /** What was given out since may be gone: the transaction was rolled back, or another process swept. */
  forget(): void
}

export interface ComboParts {
  readonly initiator: number
  readonly provider: string
  readonly providerName: string
  readonly model: string
  readonly client: string
  readonly outcome: string
}

/** The lists as JSON text. */
export interface KindParts {
  readonly initiator: number
  readonly client: string
  readonly providers: string
  readonly providerNames: string
  readonly models: string
}

export function vocabulary(database: DatabaseSync): Vocabulary {
  const name = interned(database, 'names', ['text'])
  const initiator = interned(database, 'initiators', ['id', 'username'])
  const combo = interned(database, 'combos', [
    'initiator',
    'provider',
    'provider_name',
    'model',
    'client',
    'outcome',
  ])
  const kind = interned(database, 'kinds', [
    'initiator',
    'client',
    'providers',
    'provider_names',
    'models',
  ])
  return {
    name: (text) => name.keyOf([text]),
    initiator: (id, username) => initiator.keyOf([id, username]),
    combo: (parts) =>
      combo.keyOf([
        parts.initiator,
        ...[parts.provider, parts.providerName, parts.model, parts.client, parts.outcome].map(
          (text) => name.keyOf([text]),
        ),
      ]),
    kind: (parts) =>
      kind.keyOf([
        parts.initiator,
        parts.client,
        parts.providers,
        parts.providerNames,
        parts.models,
      ]),
    forget() {
      for (const each of [name, initiator, combo, kind]) each.forget()
    },
  }
}

/** What a client can name (models) is without end: past this many all are looked up anew. */
const maxKnown = 50_000

function interned(database: DatabaseSync, table: string, columns: readonly string[]) {
  const list = columns.join(', ')
  const marks = columns.map(() => '?').join(', ')
  const find = database.prepare(`SELECT key FROM ${table} WHERE (${list}) = (${marks})`)
  const add = database.prepare(`INSERT INTO ${table} (${list}) VALUES (${marks})`)
  const known = new Map<string, number>()
  return {
    keyOf(values: readonly (string | number)[]): number {
      const label = values.length === 1 ? String(values[0]) : JSON.stringify(values)
      let key = known.get(label)
      if (key === undefined) {
        const found = find.get(...values)?.key ?? add.run(...values).lastInsertRowid
        key = Number(found)
        if (known.size >= maxKnown) known.clear()
        known.set(label, key)
      }
      return key
    },
    forget: () => known.clear(),
  }
}
