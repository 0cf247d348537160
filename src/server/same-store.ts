import { realpathSync, statSync } from 'node:fs'
import { sqlitePath, storeName } from './store.ts'

/** Whether two URLs lead to one store, also through links, or as different users of one database. */
export function isSameStore(a: string, b: string): boolean {
  const [one, other] = [sqlitePath(a), sqlitePath(b)]
  if (one === undefined || other === undefined) return storeName(a) === storeName(b)
  return one === other || isSameFile(one, other)
}

function isSameFile(one: string, other: string): boolean {
  const [a, b] = [one, other].map((path) => statSync(path, { bigint: true, throwIfNoEntry: false }))
  // What is not there yet is no other's link.
  if (!a || !b) return false
  // Some network file systems number one file differently by each of its paths.
  return (a.dev === b.dev && a.ino === b.ino) || realpathSync(one) === realpathSync(other)
}
