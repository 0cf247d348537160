import { workerData } from 'node:worker_threads'
import { openDatabase } from '../../plugins/sqlite/open-database.ts'
import { type Methods, serve } from '../../plugins/sqlite/serve.ts'
import type { ApiToken, NewToken, TokenUse, User } from './account-store.ts'
import { createAccountTables } from './sqlite-tables.ts'

const { path } = workerData as { readonly path: string }
serve(path, open)

function open(): Methods {
  // As the records' writer opens it: the same rights on the file, the same waiting for others' locks.
  const database = openDatabase({ path, synchronous: 'full', processId: '' })
  createAccountTables(database)
  const prepare = (sql: string) => database.prepare(sql)
  const users = prepare(`SELECT ${userColumns} FROM account_users ORDER BY username`)
  const user = prepare(`SELECT ${userColumns} FROM account_users WHERE username = ?`)
  const addUser = prepare(
    `INSERT OR IGNORE INTO account_users (id, username, role, created_at)
     VALUES (:id, :username, :role, :createdAt)`,
  )
  const setRole = prepare('UPDATE account_users SET role = :role WHERE username = :username')
  const removeTokens = prepare(
    'DELETE FROM account_tokens WHERE user_id IN (SELECT id FROM account_users WHERE username = ?)',
  )
  const removeUser = prepare('DELETE FROM account_users WHERE username = ?')
  const all = prepare(`${tokensOf} ORDER BY t.created_at, t.id`)
  const ofUser = prepare(`${tokensOf} WHERE username = ? ORDER BY t.created_at, t.id`)
  const addToken = prepare(
    `INSERT INTO account_tokens (id, user_id, name, hash, hint, created_at, expires_at)
     SELECT :id, u.id, :name, :hash, :hint, :createdAt, :expiresAt
     FROM account_users u WHERE username = :username`,
  )
  const removeToken = prepare('DELETE FROM account_tokens WHERE id = ?')
  const holder = prepare(`${tokensOf} WHERE t.hash = ?`)
  const used = prepare(
    'UPDATE account_tokens SET last_used_at = max(:at, coalesce(last_used_at, 0)) WHERE id = :id',
  )
  const changed = ({ changes }: { changes: number | bigint }) => Number(changes) > 0

  function together<T>(action: () => T): T {
    database.exec('BEGIN IMMEDIATE')
    try {
      const result = action()
      database.exec('COMMIT')
      return result
    } catch (error) {
      if (database.isTransaction) database.exec('ROLLBACK')
      throw error
    }
  }

  return {
    users: () => users.all(),
    user: (username: string) => user.get(username) ?? null,
    addUser: (added: User) => changed(addUser.run({ ...added })),
    setRole: (change: { username: string; role: string }) => changed(setRole.run(change)),
    removeUser: (username: string) =>
      together(() => {
        removeTokens.run(username)
        return changed(removeUser.run(username))
      }),
    tokens: (username?: string) => (username === undefined ? all.all() : ofUser.all(username)),
    addToken: (token: NewToken) => changed(addToken.run({ ...token })),
    removeToken: (id: string) => changed(removeToken.run(id)),
    holder: (hash: string) => {
      const token = holder.get(hash) as ApiToken | undefined
      return token ? { user: user.get(token.username), token } : null
    },
    used: (uses: readonly TokenUse[]) =>
      together(() => {
        for (const use of uses) used.run({ ...use })
      }),
    addFirst: ({ user, token }: { user: User; token: NewToken }) =>
      together(() => {
        if (users.all().length > 0) return false
        addUser.run({ ...user })
        return changed(addToken.run({ ...token }))
      }),
    close: () => database.close(),
  }
}

const userColumns = 'id, username, role, created_at AS createdAt'
const tokensOf = `
  SELECT t.id, username, name, hint, t.created_at AS createdAt, expires_at AS expiresAt,
    last_used_at AS lastUsedAt
  FROM account_tokens t JOIN account_users u ON u.id = t.user_id`
