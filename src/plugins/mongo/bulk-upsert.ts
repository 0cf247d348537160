import { setTimeout as pause } from 'node:timers/promises'
import {
  type AnyBulkWriteOperation,
  type Collection,
  MongoBulkWriteError,
  type UpdateOneModel,
} from 'mongodb'
import type { InterceptionDocument } from './interception-document.ts'

export type Upsert = UpdateOneModel<InterceptionDocument>

const duplicateKey = 11_000
const attempts = 12

/**
 * Carries out updates by `_id` that insert what is not there. Of two that insert the same document at once
 * one fails as a duplicate; tried again it finds the other's document.
 */
export async function bulkUpsert(
  collection: Collection<InterceptionDocument>,
  upserts: readonly Upsert[],
): Promise<void> {
  let rest = upserts
  for (let attempt = 1; rest.length > 0; attempt++) {
    try {
      const operations = rest.map(
        (updateOne): AnyBulkWriteOperation<InterceptionDocument> => ({ updateOne }),
      )
      await collection.bulkWrite(operations, { ordered: false })
      return
    } catch (error) {
      const again = duplicates(error)
      if (!again || attempt === attempts) throw unwrapped(error)
      rest = rest.filter((_, index) => again.has(index))
      await pause(Math.random() * 2 ** attempt)
    }
  }
}

/** Which operations failed as duplicates; undefined where anything else went wrong. */
function duplicates(error: unknown): Set<number> | undefined {
  if (!(error instanceof MongoBulkWriteError)) return
  const failures = [error.writeErrors].flat()
  const others = failures.some(({ code }) => code !== duplicateKey)
  if (failures.length === 0 || others || error.result.getWriteConcernError()) return
  return new Set(failures.map(({ index }) => index))
}

/** The driver wraps a broken connection into an error of the bulk write, which hides what it is. */
function unwrapped(error: unknown): unknown {
  const inner = error instanceof MongoBulkWriteError ? error.errorResponse : undefined
  return inner instanceof Error ? inner : error
}
