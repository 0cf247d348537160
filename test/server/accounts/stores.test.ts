import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { mkdtempSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import { sqliteRecorder } from '../../../src/plugins/sqlite-recorder.ts'
import { memoryAccounts } from '../../../src/server/accounts/memory-accounts.ts'
import { accountsOf } from '../../../src/server/accounts/open-accounts.ts'
import { type MongoServer, mongoServers } from '../../support/mongo.ts'
import { needs } from '../../support/needs.ts'
import { accountStoreContract } from './store-contract.ts'

suite('accounts in memory', () => {
  accountStoreContract(async () => ({ store: memoryAccounts(), again: undefined }))
})

suite('accounts in SQLite', () => {
  accountStoreContract(async (t) => {
    const url = `sqlite:${join(folder(), 'sluice.db')}`
    const open = async () => {
      const store = await accountsOf(url)
      t.after(() => store.close())
      return store
    }
    return { store: await open(), again: open }
  })

  test('they live in the records’ file, whichever is opened first, and only its owner reads it', async (t) => {
    for (const first of ['accounts', 'records']) {
      const path = join(folder(), 'sluice.db')
      const recorder = sqliteRecorder({ path })
      const accounts = await accountsOf(`sqlite:${path}`)
      t.after(() => Promise.all([recorder.close(), accounts.close()]))
      if (first === 'records') await recorder.open()
      await accounts.users()
      await recorder.open()
      assert.equal((await recorder.interceptions()).count, 0)
      assert.equal(statSync(path).mode & 0o777, 0o600)
    }
  })

  test('a file that is no store is told as such', async () => {
    const store = await accountsOf(`sqlite:${import.meta.filename}`)
    await assert.rejects(store.users(), { code: 'ERR_STORE_FOREIGN' })
    await store.close()
  })
})

for (const kind of mongoServers()) {
  suite(`accounts in ${kind.name}`, () => {
    let server: MongoServer
    before(async () => {
      server = await kind.start()
    })
    after(() => server.remove())

    accountStoreContract(async (t) => {
      const url = `${server.uri}${`sluice_${randomUUID()}`}`
      const open = async () => {
        const store = await accountsOf(url)
        t.after(() => store.close())
        return store
      }
      return { store: await open(), again: open }
    })
  })
}
test('accounts in MongoDB', { skip: needs('mongo', mongoServers().length > 0) }, () => {})

test('a Mongo server that is away is told so, without the password, and asked again later', async (t) => {
  const store = await accountsOf(
    'mongodb://user:pass-canary@127.0.0.1:1/x?serverSelectionTimeoutMS=50',
  )
  t.after(() => store.close())
  for (let i = 0; i < 2; i++) {
    await assert.rejects(store.users(), (error: Error & { code: string }) => {
      assert.equal(error.code, 'ERR_STORE_AWAY')
      assert.doesNotMatch(error.message, /pass-canary/)
      return true
    })
  }
})

function folder(): string {
  return mkdtempSync(join(tmpdir(), 'sluice-accounts-'))
}
