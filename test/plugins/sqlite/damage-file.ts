import { DatabaseSync } from 'node:sqlite'

/** What a failing disk does to a store's file, said in SQL: also what a STRICT table would refuse. */
export function damageFile(path: string, sql: string): void {
  // Rewriting the schema is what SQLite defends against.
  const database = new DatabaseSync(path, { defensive: false } as object)
  try {
    const schema = (from: string, to: string) =>
      database.exec(`
        PRAGMA writable_schema = ON;
        UPDATE sqlite_schema SET sql = replace(sql, '${from}', '${to}') WHERE name = 'records';
        PRAGMA writable_schema = RESET`)
    schema(') STRICT', ') ')
    database.exec(sql)
    schema(') ', ') STRICT')
  } finally {
    database.close()
  }
}
