import { existsSync } from 'node:fs'
import { SluiceError } from '../core/errors.ts'
import { type AccountShape, tokenShape, userShape } from '../server/account-shapes.ts'
import { Accounts } from '../server/accounts/accounts.ts'
import { accountsOf } from '../server/accounts/open-accounts.ts'
import { readApiAddress, readConfig } from '../server/config.ts'
import type { Role } from '../server/identity/caller.ts'
import { sqlitePath, storeName } from '../server/store.ts'

export interface NewTokenWish {
  readonly username: string
  readonly name: string
  /** In ms; undefined: never. */
  readonly expiresIn: number | undefined
}

/** What the commands do to users and tokens, through a running gateway or in the store itself. */
export interface AccountAdmin {
  users(): Promise<readonly AccountShape[]>
  addUser(username: string, role: Role): Promise<AccountShape>
  setRole(username: string, role: Role): Promise<AccountShape>
  removeUser(username: string): Promise<void>
  tokens(username: string | undefined): Promise<readonly AccountShape[]>
  /** With its one showing in `token`. */
  createToken(wish: NewTokenWish): Promise<AccountShape>
  revokeToken(id: string): Promise<void>
  close(): Promise<void>
}

export interface AccountFlags {
  readonly url?: string
  readonly store?: string
  readonly config?: string
}

/** The one that the flags and the environment mean: a URL counts before the store. */
export async function accountAdmin(
  flags: AccountFlags,
  { mayCreate = false }: { readonly mayCreate?: boolean } = {},
): Promise<AccountAdmin> {
  const { url, token } = readApiAddress({ flags: { ...flags } })
  if (url !== undefined) return (await import('./account-api.ts')).accountApi(url, token)
  const { store } = readConfig({ flags: { store: flags.store, config: flags.config } })
  if (store === 'memory:') throw notHere('the store is memory:, which only its gateway sees')
  const path = sqlitePath(store)
  if (path !== undefined && !mayCreate && !existsSync(path))
    throw notHere(`there is no store at ${storeName(store)} yet`)
  return inStore(new Accounts(await accountsOf(store)))
}

function inStore(accounts: Accounts): AccountAdmin {
  return {
    users: async () => (await accounts.users()).map(userShape),
    addUser: async (username, role) => userShape(await accounts.addUser(username, role)),
    setRole: async (username, role) => userShape(await accounts.setRole(username, role)),
    removeUser: (username) => accounts.removeUser(username),
    tokens: async (username) => (await accounts.tokens(username)).map(tokenShape),
    createToken: async (wish) => {
      const created = await accounts.createToken(wish)
      return { ...tokenShape(created), token: created.token }
    },
    revokeToken: (id) => accounts.revokeToken(id),
    close: () => accounts.close(),
  }
}

function notHere(fact: string): SluiceError {
  return new SluiceError(
    `${fact}: name another one with --store, or a running gateway with --url http://127.0.0.1:4141`,
    { code: 'ERR_NO_STORE' },
  )
}
