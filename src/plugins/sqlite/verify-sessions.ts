import type { DatabaseSync } from 'node:sqlite'
import { measureColumns } from './measure-columns.ts'
import { sessionEnds } from './session-ends.ts'
import { numbersOf, tokenSums } from './token-sums.ts'
import type { Wrong } from './verify.ts'

type Row = Readonly<Record<string, unknown>>

/** Compares sessions with what their interceptions make of them. */
export function verifySessions(database: DatabaseSync): Wrong[] {
  const next = database.prepare('SELECT min(key) AS key FROM sessions WHERE key > ?')
  const rowOf = database.prepare(`
    SELECT sessions.*, initiators.id AS kind_initiator_id, username, client, providers,
      provider_names, models
    FROM sessions LEFT JOIN kinds ON kinds.key = kind
      LEFT JOIN initiators ON initiators.key = initiator
    WHERE sessions.key = ?`)
  const ends = sessionEnds(database)
  let wrong = 0

  function isRight(key: number): boolean {
    const row: Row = rowOf.get(key) ?? {}
    const { threads, measures, tokens } = ends.totals(key)
    if (measures[0] === 0) return false
    const now = ends.read(key)
    return (
      row.threads === threads &&
      measureColumns.every((column, at) =>
        column === 'cost_nano_usd'
          ? isClose(row[column], measures[at])
          : row[column] === measures[at],
      ) &&
      isSameNumbers(numbersOf(tokenSums(row.token_metadata)), numbersOf(tokens)) &&
      row.first_id === now.firstId &&
      row.started_at === now.startedAt &&
      row.ended_at === now.endedAt &&
      row.last_active_at === (now.prompt?.at ?? now.startedAt) &&
      row.prompted_id === (now.prompt?.owner ?? null) &&
      row.prompt_id === (now.prompt?.id ?? null) &&
      row.prompt_at === (now.prompt?.at ?? null) &&
      row.kind_initiator_id === row.initiator_id &&
      row.username === now.username &&
      row.client === now.client &&
      row.providers === JSON.stringify(now.providers) &&
      row.provider_names === JSON.stringify(now.providerNames) &&
      row.models === JSON.stringify(now.models)
    )
  }

  for (let key = next.get(-1)?.key; typeof key === 'number'; key = next.get(key)?.key)
    if (!safely(() => isRight(key))) wrong++
  const homeless = database.prepare(`
    SELECT count(DISTINCT session) AS n FROM summaries
    WHERE NOT EXISTS (SELECT 1 FROM sessions WHERE sessions.key = session)`)
  return [
    [wrong, 'sessions are not what their interceptions make them'],
    [Number(homeless.get()?.n), 'sessions are missing'],
  ]
}

/** Prices may be fractions: what is added in another order differs in its last digits. */
function isClose(a: unknown, b: number | undefined): boolean {
  if (typeof a !== 'number' || b === undefined) return false
  return a === b || Math.abs(a - b) <= 1e-9 * Math.max(Math.abs(a), Math.abs(b))
}

function isSameNumbers(
  a: Readonly<Record<string, number>>,
  b: Readonly<Record<string, number>>,
): boolean {
  const names = Object.keys(a)
  return (
    names.length === Object.keys(b).length &&
    names.every((name) => Object.hasOwn(b, name) && isClose(a[name], b[name]))
  )
}

/** What cannot even be read is wrong. */
function safely(isRight: () => boolean): boolean {
  try {
    return isRight()
  } catch {
    return false
  }
}
