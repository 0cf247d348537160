import { setImmediate as turn } from 'node:timers/promises'
import type { Links } from '../../core/links.ts'
import type { StoredInterception } from '../../core/recorder.ts'
import type { InterceptionRecord } from '../../core/records.ts'
import { storedInterception } from '../../core/stored-interception.ts'

interface Found {
  readonly records: readonly InterceptionRecord[]
  /** By what is stored now, which may be more than its process knew. */
  readonly links: Links | null
}

/** What is parsed before streams are given a turn, in characters: a page may be megabytes. */
const atOnce = 256 * 1024

export async function foundInterceptions(texts: readonly string[]): Promise<StoredInterception[]> {
  const all = await eachParsed<Found>(texts)
  return all.flatMap(({ records, links }) => {
    const stored = storedInterception(records)
    return stored ? [{ ...stored, start: { ...stored.start, ...links } }] : []
  })
}

export async function eachParsed<Value>(texts: readonly string[]): Promise<Value[]> {
  const values: Value[] = []
  let size = 0
  for (const text of texts) {
    size += text.length
    if (size > atOnce) {
      await turn()
      size = text.length
    }
    values.push(JSON.parse(text) as Value)
  }
  return values
}
