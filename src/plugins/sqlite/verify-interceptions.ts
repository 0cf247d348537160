import type { DatabaseSync } from 'node:sqlite'
import { storedInterception } from '../../core/stored-interception.ts'
import { interceptionComparison, type Part } from './compare-interception.ts'
import { type WordSums, wordsOfTexts } from './indexed-words.ts'
import { salvage } from './salvage.ts'
import type { Wrong } from './verify.ts'

interface Found {
  readonly wrong: readonly Wrong[]
  /** Records that cannot be read. */
  readonly damaged: number
  /** The interceptions that they are of. */
  readonly hurt: readonly string[]
  /** What the text index should have, where that is known. */
  readonly words: WordSums | null
}

/** Reads every record, and compares what is derived of each interception alone. */
export function verifyInterceptions(database: DatabaseSync): Found {
  const next = database.prepare(
    'SELECT min(interception_id) AS id FROM records WHERE interception_id > ?',
  )
  const salvaged = salvage(database)
  const { compare, expected } = interceptionComparison(database, salvaged)
  const words = wordsOfTexts()
  const faults: Record<Part, number> = {
    begun: 0,
    ended: 0,
    links: 0,
    summary: 0,
    offers: 0,
    tools: 0,
  }
  const hurt: string[] = []
  let damaged = 0
  for (let id = next.get('')?.id; typeof id === 'string'; id = next.get(id)?.id) {
    const found = salvaged(id)
    if (found.damaged.length > 0) hurt.push(id)
    damaged += found.damaged.length
    const { wrong, text } = compare(id, storedInterception(found.records))
    for (const part of wrong) faults[part]++
    if (text !== '') words.add(text)
  }
  const { offers, uses } = expected()
  const tooMany = (table: string, wanted: number) =>
    Number(database.prepare(`SELECT count(*) AS n FROM ${table}`).get()?.n) - wanted
  return {
    damaged,
    hurt,
    words: words.sums(),
    wrong: [
      [faults.begun, 'interceptions are filed otherwise than their starts say'],
      [faults.ended, 'interceptions have ended otherwise than their records say'],
      [faults.links, 'interceptions hang elsewhere than they should'],
      [faults.summary, 'interceptions are listed otherwise than they are stored'],
      [faults.offers, 'interceptions are not found by the calls that they made'],
      [tooMany('offers', offers), 'calls lead to interceptions that did not make them'],
      [faults.tools, 'interceptions are not found by the tools that they called'],
      [tooMany('tool_uses', uses), 'tools lead to interceptions that did not call them'],
    ],
  }
}
