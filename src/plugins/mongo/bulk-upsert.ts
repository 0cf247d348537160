import { setTimeout as pause } from 'node:timers/promises'
import {
  type AnyBulkWriteOperation,
  type Collection,
  type Document,
  MongoBulkWriteError,
  type UpdateOneModel,
} from 'mongodb'
import { SluiceError } from '../../core/errors.ts'

export type Upsert<T extends Document> = UpdateOneModel<T>

const duplicateKey = 11_000
const attempts = 12

/**
 * Carries out updates by `_id` that insert what is not there. Of two that insert the same document at once
 * one fails as a duplicate; tried again it finds the other's document.
 */
export async function bulkUpsert<T extends Document>(
  collection: Collection<T>,
  upserts: readonly Upsert<T>[],
): Promise<void> {
  let rest = upserts
  for (let attempt = 1; rest.length > 0; attempt++) {
    const again = (await carryOut(collection, rest)).duplicates
    if (again.size === 0) return
    if (attempt === attempts) {
      throw new SluiceError('others insert and remove the same documents again and again', {
        code: 'ERR_STORE_BUSY',
      })
    }
    rest = rest.filter((_, index) => again.has(index))
    await pause(Math.random() * 2 ** attempt)
  }
}

/**
 * Carries them out once; resolves to how many did something. In order: none after one that fails because its
 * document is there already.
 */
export async function tryUpserts<T extends Document>(
  collection: Collection<T>,
  upserts: readonly Upsert<T>[],
  { ordered = false }: { readonly ordered?: boolean } = {},
): Promise<number> {
  return (await carryOut(collection, upserts, ordered)).done
}

async function carryOut<T extends Document>(
  collection: Collection<T>,
  upserts: readonly Upsert<T>[],
  ordered = false,
): Promise<{ readonly done: number; readonly duplicates: ReadonlySet<number> }> {
  if (upserts.length === 0) return { done: 0, duplicates: new Set() }
  try {
    const operations = upserts.map((updateOne): AnyBulkWriteOperation<T> => ({ updateOne }))
    const { matchedCount, upsertedCount } = await collection.bulkWrite(operations, { ordered })
    return { done: matchedCount + upsertedCount, duplicates: new Set() }
  } catch (error) {
    const again = duplicates(error)
    if (!again) throw unwrapped(error)
    const { matchedCount, upsertedCount } = (error as MongoBulkWriteError).result
    return { done: matchedCount + upsertedCount, duplicates: again }
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
