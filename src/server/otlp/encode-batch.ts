import type { Batch } from './batches.ts'
import { writeOrigin } from './values.ts'
import { Wire } from './wire.ts'

/** A batch as the body of one request. */
export function encodeBatch({ groups }: Batch): Uint8Array {
  const wire = new Wire()
  for (const { items, ...origin } of groups) writeOrigin(wire, origin, items)
  return wire.take()
}
