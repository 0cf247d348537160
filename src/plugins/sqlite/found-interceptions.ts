import { parseJson } from '../../core/json.ts'
import type { Links } from '../../core/links.ts'
import { LongWork } from '../../core/long-work.ts'
import type { DamagedRecord, StoredInterception } from '../../core/recorder.ts'
import type { InterceptionRecord } from '../../core/records.ts'
import { isSound } from '../../core/sound-record.ts'
import { storedInterception } from '../../core/stored-interception.ts'
import type { IdTexts } from './interception-texts.ts'
import type { OnDamaged } from './told-damage.ts'

interface Found {
  readonly records: readonly InterceptionRecord[]
  /** By what is stored now, which may be more than its process knew. */
  readonly links?: Links
  /** 0 or 1: it should have a start, an end. */
  readonly begun?: number
  readonly ended?: number
  readonly damaged?: readonly DamagedRecord[]
}

/** How what can be read of damaged interceptions is come by, and who is told of it. */
export interface Salvaging {
  readonly salvaged: (ids: readonly string[]) => Promise<readonly string[]>
  readonly onDamaged: OnDamaged
}

/** In the order of their ids; those that nothing is known of, or whose start is not, are left out. */
export async function foundInterceptions(
  { ids, texts }: IdTexts,
  { salvaged, onDamaged }: Salvaging,
): Promise<StoredInterception[]> {
  const all = (await eachParsed(texts)) as (Found | undefined)[]
  const work = new LongWork()
  const found: StoredInterception[] = []
  const damaged: string[] = []
  for (const [at, id] of ids.entries()) {
    if (!isWhole(all[at])) damaged.push(id)
    if (work.isLong) await work.pause()
  }
  if (damaged.length > 0) {
    const rest = (await eachParsed(await salvaged(damaged))) as (Found | undefined)[]
    for (const [at, id] of damaged.entries()) {
      all[ids.indexOf(id)] = rest[at]
      const records = rest[at]?.damaged ?? []
      if (records.length > 0) onDamaged(id, records)
    }
  }
  for (const each of all) {
    const stored = each && storedIn(each)
    if (stored) found.push(stored)
    if (work.isLong) await work.pause()
  }
  return found
}

/** What cannot be parsed is undefined. */
export async function eachParsed(texts: readonly string[]): Promise<unknown[]> {
  const work = new LongWork()
  const values: unknown[] = []
  for (const text of texts) {
    values.push(parseJson(text))
    // A page may be megabytes.
    if (work.isLong) await work.pause()
  }
  return values
}

function storedIn({ records, links, damaged = [] }: Found): StoredInterception | null {
  const stored = storedInterception(records)
  return (
    stored && {
      ...stored,
      start: { ...stored.start, ...links },
      ...(damaged.length > 0 && { damaged }),
    }
  )
}

function isWhole(found: Found | undefined): boolean {
  if (!found?.records.every(isSound)) return false
  const has = (type: string) => found.records.some((record) => record.type === type)
  return (
    !(found.begun === 1 && !has('interception_start')) &&
    !(found.ended === 1 && !has('interception_end'))
  )
}
