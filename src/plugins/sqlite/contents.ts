import type { DatabaseSync } from 'node:sqlite'
import { isObject, objectOf, parseJson } from '../../core/json.ts'
import { dropContent, isEssential } from '../../core/record-content.ts'
import type { InterceptionRecord } from '../../core/records.ts'
import { bodyText } from './record-rows.ts'

/** Takes what people and models wrote out of an interception's records. True where there was some. */
export function contents(database: DatabaseSync): (id: string) => boolean {
  const recordsOf = database.prepare(
    'SELECT key, type, body FROM records WHERE interception_id = ?',
  )
  const setBody = database.prepare('UPDATE records SET body = ? WHERE key = ?')
  return (id) => {
    let found = false
    for (const row of recordsOf.all(id)) {
      const body = parseJson(String(row.body))
      const record = { ...objectOf(body), type: row.type } as unknown as InterceptionRecord
      if (!isObject(body) && !isEssential(record)) {
        // Damaged: what can still be made out of it may be content. That it was there stays known.
        if (row.body !== '') {
          found = true
          setBody.run('', Number(row.key))
        }
        continue
      }
      const emptied = dropContent(record)
      if (emptied === record) continue
      found = true
      setBody.run(bodyText(emptied), Number(row.key))
    }
    return found
  }
}
