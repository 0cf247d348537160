import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Accounts } from '../../../src/server/accounts/accounts.ts'
import { memoryAccounts } from '../../../src/server/accounts/memory-accounts.ts'
import { firstOwner } from '../../../src/server/identity/first-owner.ts'
import { until } from '../../support/harm.ts'

test('where the store is away at the start, the first owner is made when it is back', async () => {
  const store = memoryAccounts()
  let away = true
  const accounts = new Accounts({
    ...store,
    addFirst: async (user, token) => {
      if (away) throw new Error('the store is away')
      return store.addFirst(user, token)
    },
  })
  const log: string[] = []
  const bootstrapToken = 'x'.repeat(40)
  const options = { accounts, bootstrapToken, log: (_: string, text: string) => log.push(text) }
  // It waits without keeping the process alive, so we do.
  const alive = setInterval(() => {}, 1000)
  await firstOwner({ ...options, againMs: 5 })
  assert.deepEqual(await accounts.users(), [])
  assert.match(log[0] ?? '', /the store is away/)
  away = false
  const owner = await until(async () => (await accounts.users())[0])
  clearInterval(alive)
  assert.deepEqual([owner.username, owner.role], ['owner', 'owner'])
  assert.equal((await accounts.holder(bootstrapToken))?.user.username, 'owner')
  assert.ok(!log.join().includes(bootstrapToken))
})
