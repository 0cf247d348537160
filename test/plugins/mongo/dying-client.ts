import type { Collection, Db, MongoClient } from 'mongodb'

export interface DyingClient {
  readonly client: MongoClient
  /** How many writes it has carried out. */
  readonly writes: number
  readonly isDead: boolean
}

const writes = new Set(['updateOne', 'updateMany', 'replaceOne', 'deleteOne', 'deleteMany'])
const reads = new Set(['find', 'findOne', 'distinct', 'countDocuments'])

/**
 * A client whose process dies before its write number `last + 1`: from then on nothing of it reaches the store. Of a
 * bulk each part is a write of its own.
 */
export function dyingClient(real: MongoClient, last: number): DyingClient {
  let count = 0
  let isDead = false
  const die = () => {
    isDead = true
    throw new Error('the process has died')
  }

  function collection(target: Collection): Collection {
    return changed(target, (name, method) => {
      if (name === 'bulkWrite') {
        return async (operations: unknown[], ...rest: unknown[]) => {
          const left = operations.slice(0, Math.max(0, last - count))
          count += left.length
          if (isDead || left.length === 0) die()
          const result = await method(left, ...rest)
          return left.length < operations.length ? die() : result
        }
      }
      if (name === 'findOneAndUpdate') return isDead ? die : method
      if (writes.has(name)) {
        return async (...args: unknown[]) => {
          if (isDead || count >= last) die()
          count++
          return method(...args)
        }
      }
      return reads.has(name) && isDead ? die : method
    })
  }

  const db = (target: Db): Db =>
    changed(target, (name, method) =>
      name === 'collection' ? (...args) => collection(method(...args) as Collection) : method,
    )
  const client = changed(real, (name, method) =>
    name === 'db' ? (...args) => db(method(...args) as Db) : method,
  )
  return {
    client,
    get writes() {
      return count
    },
    get isDead() {
      return isDead
    },
  }
}

type Call = (...args: unknown[]) => unknown
type Method = (...args: never[]) => unknown

/** The target with some of its methods replaced. */
function changed<T extends object>(target: T, replace: (name: string, method: Call) => Method): T {
  return new Proxy(target, {
    get: (_, name) => {
      const value: unknown = Reflect.get(target, name, target)
      return typeof value === 'function' ? replace(String(name), value.bind(target) as Call) : value
    },
  })
}
