import assert from 'node:assert/strict'
import { hash, randomUUID } from 'node:crypto'
import { linkSync, readFileSync, symlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { type MongoServer, mongoServers } from '../support/mongo.ts'
import { needs } from '../support/needs.ts'
import { fill, inStore, many, refused, sluice, storeFolder } from '../support/store-commands.ts'

test('a store moves into another file; again it catches up', async () => {
  const { folder, url } = storeFolder()
  await inStore(url, (store) => fill(store, many(250)))
  const to = `sqlite:${join(folder, 'new.db')}`
  const json = async (...args: string[]) =>
    JSON.parse(await sluice(['migrate', '--to', to, '--output', 'json', ...args], { folder }))
  assert.deepEqual(await json(), { interceptions: 250, copied: 250, same: 0, faults: [] })
  await inStore(url, (store) => fill(store, many(10, { ms: 500 })))
  assert.deepEqual(await json('--from', url), {
    interceptions: 260,
    copied: 10,
    same: 250,
    faults: [],
  })
  const text = await sluice(['export'], { folder })
  assert.ok((await sluice(['export', '--store', to], { folder })) === text)
})

test('what the other store does not keep is told, and ends with 1', async () => {
  const { folder, url } = storeFolder()
  await inStore(url, (store) => fill(store, many(5)))
  const to = `sqlite:${join(folder, 'new.db')}`
  await inStore(to, (store) => store.prune({ before: '2026-03-01T00:00:00.000Z' }))
  const { stdout, stderr } = await refused(['migrate', '--to', to], { folder })
  assert.match(stdout, /\nfault: 5 interceptions should be there, and 0 are/)
  assert.match(stderr, /^sluice: not all is in \S+new\.db\n$/)
})

test('stores that will not do are refused', async () => {
  const { folder, url } = storeFolder()
  await inStore(url, (store) => fill(store, many(1)))
  const cases: [string[], RegExp][] = [
    [[], /required option '--to/],
    [['--to', 'mysql://x'], /--to: must be sqlite:FILE/],
    [['--from', 'x', '--to', url], /--from: must be sqlite:FILE/],
    [['--to', 'memory:'], /the store is memory:/],
    [['--to', 'sqlite:./sluice-data/sluice.db'], /are the same store/],
    [
      ['--from', 'mongodb://127.0.0.1:1/x', '--to', 'mongodb://ann:geheim@127.0.0.1:1/x'],
      /are the same store/,
    ],
    [['--from', 'sqlite:./none.db', '--to', url], /there is no store at \.\/none\.db/],
    [
      ['--to', 'mongodb://user:geheim@127.0.0.1:1/x?serverSelectionTimeoutMS=200'],
      /127\.0\.0\.1:1/,
    ],
  ]
  for (const [args, message] of cases) {
    const { stderr } = await refused(['migrate', ...args], { folder })
    assert.match(stderr, message)
    assert.ok(!stderr.includes('geheim'))
  }
})

test('a link to the store is no other store, whatever kind of link', async () => {
  const { folder, path, url } = storeFolder()
  await inStore(url, (store) => fill(store, many(1)))
  symlinkSync(path, join(folder, 'soft.db'))
  linkSync(path, join(folder, 'hard.db'))
  symlinkSync(dirname(path), join(folder, 'data'))
  const before = hashOf(path)
  for (const link of ['soft.db', 'hard.db', 'data/sluice.db']) {
    const { stdout, stderr } = await refused(['migrate', '--to', `sqlite:${link}`], { folder })
    assert.equal(stdout, '')
    assert.match(stderr, /^sluice: --from \(.*\) and --to \(.*\) are the same store: name another/)
    assert.ok(stderr.includes(link), stderr)
    const to = await refused(['migrate', '--from', `sqlite:${link}`, '--to', url], { folder })
    assert.match(to.stderr, /are the same store/)
  }
  assert.equal(hashOf(path), before)
  // Where a link leads to nothing yet, a store is made.
  symlinkSync(join(folder, 'new.db'), join(folder, 'empty.db'))
  assert.match(await sluice(['migrate', '--to', 'sqlite:empty.db'], { folder }), /1 copied/)
})

const hashOf = (path: string) => hash('sha256', readFileSync(path))

// What the kinds differ in is tried on the stores themselves.
const kinds = mongoServers().slice(0, 1)
test('a Mongo server to test with', { skip: needs('mongo', kinds.length > 0) }, () => {})
for (const kind of kinds) {
  describe(`on ${kind.name}`, () => {
    let server: MongoServer
    before(async () => {
      server = await kind.start()
    })
    after(() => server.remove())

    test('a store moves there and back', async () => {
      const { folder, url } = storeFolder()
      await inStore(url, (store) => fill(store, many(30)))
      const text = await sluice(['export'], { folder })
      const mongo = `${server.uri}sluice_${randomUUID()}`
      const back = `sqlite:${join(folder, 'back.db')}`
      assert.match(
        await sluice(['migrate', '--to', mongo], { folder }),
        /^30 interceptions: 30 copied/,
      )
      assert.match(
        await sluice(['migrate', '--to', mongo], { folder }),
        /0 copied into .*30 there already/,
      )
      await sluice(['migrate', '--from', mongo, '--to', back], { folder })
      for (const store of [mongo, back])
        assert.ok((await sluice(['export', '--store', store], { folder })) === text)
      assert.match(
        await sluice(['verify', '--store', mongo], { folder }),
        /: 30 interceptions with 150/,
      )
    })
  })
}
