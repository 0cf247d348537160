import { sqlitePath } from '../store.ts'
import type { AccountStore } from './account-store.ts'

/** The accounts of the store that a URL names. Nothing is opened before the first question. */
export async function accountsOf(store: string): Promise<AccountStore> {
  if (store === 'memory:') return (await import('./memory-accounts.ts')).memoryAccounts()
  const path = sqlitePath(store)
  if (path !== undefined) return (await import('./sqlite-accounts.ts')).sqliteAccounts(path)
  return (await import('./mongo-accounts.ts')).mongoAccounts(store)
}
