import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { type TestContext, test } from 'node:test'
import type { AccountStore, NewToken, User } from '../../../src/server/accounts/account-store.ts'
import { hashToken } from '../../../src/server/identity/gateway-token.ts'

export interface OpenStore {
  /** The same accounts through a connection of its own, as another process has it; undefined where there are no such. */
  readonly again: (() => Promise<AccountStore>) | undefined
  readonly store: AccountStore
}

/** What every store of accounts does. */
export function accountStoreContract(open: (t: TestContext) => Promise<OpenStore>): void {
  test('users are listed by name, and a name is taken once', async (t) => {
    const { store } = await open(t)
    const [bob, alice] = [user('bob', 'member'), user('alice', 'owner')]
    assert.equal(await store.addUser(bob), true)
    assert.equal(await store.addUser(alice), true)
    assert.equal(await store.addUser(user('bob', 'owner')), false)
    assert.deepEqual((await store.users()).map(plain), [alice, bob])
    assert.deepEqual(plain(await store.user('bob')), bob)
    assert.equal(await store.user('Bob'), null)
    assert.equal(await store.user("'; DROP TABLE account_users; --"), null)
  })

  test('a role is changed of who is there', async (t) => {
    const { store } = await open(t)
    await store.addUser(user('bob', 'member'))
    assert.equal(await store.setRole('bob', 'auditor'), true)
    assert.equal(await store.setRole('eve', 'owner'), false)
    assert.equal((await store.user('bob'))?.role, 'auditor')
  })

  test('a token is found by its hash, with its user as it is now', async (t) => {
    const { store } = await open(t)
    const bob = user('bob', 'member')
    await store.addUser(bob)
    const { hash, ...token } = tokenOf('bob', { name: 'laptop', expiresAt: 5 })
    assert.equal(await store.addToken({ hash, ...token }), true)
    assert.equal(await store.addToken(tokenOf('eve')), false)
    const shown = { ...token, lastUsedAt: null }
    const holder = await store.holder(hash)
    assert.deepEqual(plain(holder?.token), shown)
    assert.deepEqual(plain(holder?.user), bob)
    assert.equal(await store.holder(hashToken('another')), null)
    await store.setRole('bob', 'owner')
    assert.equal((await store.holder(hash))?.user.role, 'owner')
  })

  test('tokens are listed of one user and of all, without their hashes', async (t) => {
    const { store } = await open(t)
    await store.addUser(user('bob', 'member'))
    await store.addUser(user('alice', 'member'))
    const tokens = [tokenOf('bob', { createdAt: 2 }), tokenOf('alice', { createdAt: 1 })]
    for (const token of tokens) await store.addToken(token)
    const [bobs, alices] = tokens.map(({ hash: _, ...token }) => ({ ...token, lastUsedAt: null }))
    assert.deepEqual((await store.tokens('bob')).map(plain), [bobs])
    assert.deepEqual((await store.tokens()).map(plain), [alices, bobs])
    assert.deepEqual(await store.tokens('eve'), [])
  })

  test('a token that is revoked, or whose user is removed, is nobody’s', async (t) => {
    const { store } = await open(t)
    await store.addUser(user('bob', 'member'))
    const [one, two] = [tokenOf('bob'), tokenOf('bob')]
    await store.addToken(one)
    await store.addToken(two)
    assert.equal(await store.removeToken(one.id), true)
    assert.equal(await store.removeToken(one.id), false)
    assert.equal(await store.holder(one.hash), null)
    assert.equal(await store.removeUser('bob'), true)
    assert.equal(await store.removeUser('bob'), false)
    assert.equal(await store.holder(two.hash), null)
    assert.deepEqual(await store.tokens(), [])
    // Who comes after under the same name has none of them.
    await store.addUser(user('bob', 'member'))
    assert.deepEqual(await store.tokens('bob'), [])
  })

  test('the last use of a token never goes back', async (t) => {
    const { store } = await open(t)
    await store.addUser(user('bob', 'member'))
    const token = tokenOf('bob')
    await store.addToken(token)
    await store.used([
      { id: token.id, at: 2000 },
      { id: randomUUID(), at: 1 },
    ])
    await store.used([{ id: token.id, at: 1000 }])
    assert.equal((await store.holder(token.hash))?.token.lastUsedAt, 2000)
  })

  test('the first user is made once, and only where there is none', async (t) => {
    const { store, again } = await open(t)
    const other = (await again?.()) ?? store
    const made = await Promise.all(
      [store, other, store].map((each) => each.addFirst(user('owner', 'owner'), tokenOf('owner'))),
    )
    assert.deepEqual(made.filter(Boolean), [true])
    assert.equal((await store.users()).length, 1)
    assert.equal((await store.tokens()).length, 1)
  })

  test('what one process changes another sees', async (t) => {
    const { store, again } = await open(t)
    if (!again) return
    const other = await again()
    await store.addUser(user('bob', 'member'))
    const token = tokenOf('bob')
    assert.equal(await other.addToken(token), true)
    assert.equal((await store.holder(token.hash))?.user.username, 'bob')
    await store.removeToken(token.id)
    assert.equal(await other.holder(token.hash), null)
  })
}

function user(username: string, role: User['role']): User {
  return { id: randomUUID(), username, role, createdAt: 1_700_000_000_000 }
}

function tokenOf(username: string, more: Partial<NewToken> = {}): NewToken {
  const id = randomUUID()
  const hash = hashToken(id)
  return { id, username, name: '', hash, hint: 'a...b', createdAt: 1, expiresAt: null, ...more }
}

/** Rows come without a prototype. */
function plain<T>(value: T): T {
  return value && { ...value }
}
