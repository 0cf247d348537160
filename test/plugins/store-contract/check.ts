import assert from 'node:assert/strict'
import type { InterceptionPage, InterceptionQuery } from '../../../src/core/recorder.ts'
import type { Store } from '../../../src/core/store.ts'

export type Check = (behaviour: string, run: (store: Store) => Promise<void>) => void

/** Runs with an open, empty store. */
export type Using = (run: (store: Store) => Promise<void>) => Promise<void>

/** That the store finds exactly these, in this order, and counts them. */
export async function finds(
  store: Store,
  query: InterceptionQuery,
  ids: readonly string[],
): Promise<void> {
  const page = await store.interceptions(query)
  assert.deepEqual(idsOf(page), ids, JSON.stringify(query))
  const isPart = query.limit !== undefined || query.after !== undefined || query.offset
  if (!isPart) assertCount(page, ids.length, query)
}

/** A count that is said to be inexact may be any. */
export function assertCount(
  { count, countExact = true }: { readonly count: number; readonly countExact?: boolean },
  expected: number,
  query: unknown = {},
): void {
  if (countExact) assert.equal(count, expected, `the count of ${JSON.stringify(query)}`)
}

export function idsOf({ results }: InterceptionPage): string[] {
  return results.map(({ id }) => id)
}

export const badCursor: { readonly code: string; readonly status: number } = {
  code: 'ERR_CURSOR',
  status: 400,
}
