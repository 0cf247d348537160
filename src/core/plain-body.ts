import { messageOf } from './errors.ts'
import type { RecordBody } from './records.ts'

/**
 * A body as it is recorded: copied and frozen to the ground, so that neither its author nor a recorder can change
 * it for the others. Throws where it is no record, or no JSON: one record that no store can write would hold up
 * all that wait beside it.
 */
export function plainBody(body: unknown): RecordBody {
  if (typeof body !== 'object' || body === null || !('type' in body)) {
    throw new Error('emitted what is no record: it needs a `type`, such as slow_reply')
  }
  const { type } = body
  if (typeof type !== 'string' || !/^[a-z][a-z0-9_]*$/.test(type)) {
    throw new Error('emitted a record whose `type` is not like slow_reply')
  }
  if (type === 'interception_start' || type === 'interception_end') {
    throw new Error(`emitted a record of the type ${type}, which is core's own`)
  }
  return plainMembers(body) as RecordBody
}

/** The object with each member copied and frozen. */
export function plainMembers<T extends object>(object: T): T {
  const copy: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(object)) copy[name] = plain(name, value)
  return copy as T
}

function plain(name: string, value: unknown): unknown {
  if (typeof value === 'object' && value !== null) {
    try {
      return JSON.parse(JSON.stringify(value), (_, member) => Object.freeze(member))
    } catch (error) {
      throw new Error(`emitted a record whose member "${name}" is no JSON: ${messageOf(error)}`)
    }
  }
  if (typeof value === 'bigint' || typeof value === 'function' || typeof value === 'symbol') {
    throw new Error(`emitted a record whose member "${name}" is no JSON: it is a ${typeof value}`)
  }
  return value
}
