import { extname } from 'node:path'
import { StoreWorker } from '../../plugins/sqlite/store-worker.ts'
import type { AccountStore } from './account-store.ts'

/** Users and tokens in tables of their own in the records' file, read and written in a thread of their own. */
export function sqliteAccounts(path: string): AccountStore {
  const script = new URL(`./sqlite-keeper${extname(import.meta.url)}`, import.meta.url)
  const worker = new StoreWorker('keeper', { path }, script)
  return {
    users: () => worker.call('users'),
    user: (username) => worker.call('user', username),
    addUser: (user) => worker.call('addUser', user),
    setRole: (username, role) => worker.call('setRole', { username, role }),
    removeUser: (username) => worker.call('removeUser', username),
    tokens: (username) => worker.call('tokens', username),
    addToken: (token) => worker.call('addToken', token),
    removeToken: (id) => worker.call('removeToken', id),
    holder: (hash) => worker.call('holder', hash),
    used: (uses) => worker.call('used', uses),
    addFirst: (user, token) => worker.call('addFirst', { user, token }),
    close: () => worker.close(),
  }
}
