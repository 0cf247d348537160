import { messageOf } from './errors.ts'
import type { RecordBody } from './records.ts'

/** A body that is nobody else's, and what its author said of it. */
export interface PlainBody {
  readonly body: RecordBody
  readonly key: string | undefined
  readonly provisional: boolean
}

/**
 * A body as it is recorded: copied and frozen to the ground, so that neither its author nor a recorder can change
 * it for the others. Throws where it is no record, or no JSON: one record that no store can write would hold up
 * all that wait beside it.
 */
export function plainBody(body: unknown): PlainBody {
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
  const copy: Record<string, unknown> = {}
  let key: unknown
  let provisional: unknown
  for (const name in body) {
    const value = body[name as keyof typeof body] as unknown
    if (name === 'key') key = value
    else if (name === 'provisional') provisional = value
    else copy[name] = plain(name, value)
  }
  if (key !== undefined && typeof key !== 'string') {
    throw new Error(`emitted a record whose \`key\` is a ${typeof key}: it must be a text`)
  }
  return {
    body: copy as unknown as RecordBody,
    key,
    provisional: provisional === true,
  }
}

function plain(name: string, value: unknown): unknown {
  switch (typeof value) {
    case 'object':
      return value === null ? null : plainObject(name, value)
    case 'bigint':
    case 'function':
    case 'symbol':
      throw new Error(`emitted a record whose member "${name}" is no JSON: it is a ${typeof value}`)
    default:
      return value
  }
}

function plainObject(name: string, value: object): unknown {
  // Nearly all are small and flat: a copy by way of text would cost 3 µs.
  if (isFlat(value)) return Object.freeze({ ...value })
  try {
    return JSON.parse(JSON.stringify(value), (_, member) => Object.freeze(member))
  } catch (error) {
    throw new Error(`emitted a record whose member "${name}" is no JSON: ${messageOf(error)}`)
  }
}

function isFlat(value: object): boolean {
  if (Object.getPrototypeOf(value) !== Object.prototype || 'toJSON' in value) return false
  for (const name in value) {
    const member: unknown = value[name as keyof typeof value]
    const simple = typeof member === 'string' || typeof member === 'boolean' || member === null
    if (!simple && !Number.isFinite(member)) return false
  }
  return true
}
