import { SluiceError } from '../../core/errors.ts'

interface PageQuery {
  readonly limit?: number | undefined
  readonly offset?: number | undefined
}

/** A page of what comes after the cursor, which need not be among `all`. */
export function pageOf<T>(
  all: readonly T[],
  order: (a: T, b: T) => number,
  cursor: T | null,
  { limit = 100, offset = 0 }: PageQuery,
): T[] {
  const rest = cursor === null ? all : all.filter((each) => order(cursor, each) < 0)
  return rest.toSorted(order).slice(offset, offset + limit)
}

/** The cursor that was found, or a refusal. */
export function knownCursor<T>(found: T | null | undefined, kind: string, id: string): T {
  if (found) return found
  throw new SluiceError(`there is no ${kind} "${id}" to go on from; begin at the first page`, {
    code: 'ERR_CURSOR',
    status: 400,
  })
}
