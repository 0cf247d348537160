import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { Diagnostics } from '../../src/core/diagnostics.ts'
import { interceptionId } from '../../src/core/ids.ts'
import { writeDeadLetters } from '../../src/plugins/journal/dead-letters.ts'
import { journaled } from '../../src/plugins/journal.ts'
import { mongoRecorder } from '../../src/plugins/mongo-recorder.ts'
import { workFolder } from '../support/gateway-process.ts'
import { type MongoServer, mongoServers } from '../support/mongo.ts'
import { needs } from '../support/needs.ts'
import { fill, inStore, many, refused, sluice, storeFolder } from '../support/store-commands.ts'
import { end, prompt, start } from '../support/stored-records.ts'

test('status says what waits and what was refused', async () => {
  const folder = workFolder()
  const none = await sluice(['journal', 'status'], { folder })
  assert.match(none, /: there is no journal\n0 dead letters\n$/)
  const dir = await letters(folder)
  writeFileSync(join(dir, 'a~1.journal'), 'x'.repeat(1000))
  writeFileSync(join(dir, 'a~1.journal-wal'), 'x'.repeat(500))
  writeFileSync(join(dir, 'b~1.journal.damaged'), '')
  const said = await sluice(['journal', 'status'], { folder })
  assert.equal(
    said,
    `${dir}: 1 file, 1,500 bytes\n1 damaged file set aside\n3 dead letters\n  it was full\n`,
  )
  const json = JSON.parse(await sluice(['journal', 'status', '--output', 'json'], { folder }))
  assert.deepEqual(json, {
    folder: dir,
    files: 1,
    bytes: 1500,
    damaged: 1,
    dead_letters: 3,
    errors: ['it was full'],
  })
})

test('retry stores what was refused, and ends with 1 where some is refused still', async () => {
  const { folder, url } = storeFolder()
  await inStore(url, (store) => fill(store, many(1)))
  assert.match((await refused(['journal', 'retry'], { folder })).stderr, /there is no journal in/)
  const dir = await letters(folder)
  assert.equal(await sluice(['journal', 'retry'], { folder }), '3 dead letters stored, 0 left\n')
  assert.match(await sluice(['verify'], { folder }), /: 2 interceptions/)
  assert.deepEqual(readdirSync(dir), [])
  const bad = { ...start(interceptionId()), createdAt: null } as never
  await writeDeadLetters(dir, [{ setAsideAt: '', error: 'x', record: bad }])
  const { stdout, stderr } = await refused(['journal', 'retry'], { folder })
  assert.match(stdout, /^0 dead letters stored, 1 left\n {2}.*NULL/)
  assert.match(stderr, /^sluice: 1 record could not be stored\n$/)
})

const kinds = mongoServers()
test('a Mongo server to test with', { skip: needs('mongo', kinds.length > 0) }, () => {})
// Only one that keeps what it has when it is started anew.
for (const kind of kinds.filter(({ survives }) => survives !== 'unknown')) {
  describe(`on ${kind.name}`, () => {
    let server: MongoServer
    before(async () => {
      server = await kind.start()
    })
    after(() => server.remove())

    test('erase covers what the journal has not delivered, and dead letters', async () => {
      const folder = workFolder()
      const dir = join(folder, 'sluice-data', 'journal')
      const url = `${server.uri}sluice_${randomUUID()}`
      const records = (user: string) => {
        const id = interceptionId()
        const body = { initiatorId: `id-of-${user}`, initiatorUsername: user }
        return [start(id, body), prompt(id, `words of ${user}`), end(id)]
      }
      await server.end('stop')
      const journal = journaled(mongoRecorder({ url, serverSelectionTimeoutMS: 300 }), {
        dir,
        backOff: [20, 100],
      })
      await journal.open({ diagnostics: new Diagnostics(() => {}) })
      for (const user of ['alice', 'bob', 'alice']) await journal.record(records(user))
      await journal.close()
      const [aside] = records('alice')
      const [kept] = records('bob')
      await writeDeadLetters(
        dir,
        [aside, kept].map((record) => ({ setAsideAt: '', error: 'x', record: record as never })),
      )
      assert.deepEqual(holding(dir, 'words of alice').length > 0, true)
      await server.restart()

      const store = ['--store', url]
      await sluice(['erase', '--initiator', 'id-of-alice', '--yes', ...store], { folder })
      await sluice(['erase', '--initiator', 'alice', '--yes', ...store], { folder })
      assert.deepEqual(holding(dir, 'alice'), [])
      // What is left of the journal goes to the store now.
      await inStore(url, async (mongo) => {
        const again = journaled(mongo, { dir, backOff: [20, 100] })
        await again.open({ diagnostics: new Diagnostics(() => {}) })
        await again.close()
      })
      const text = await sluice(['export', '--running', ...store], { folder })
      assert.equal(text.split('"prompt":"words of bob"').length - 1, 1)
      assert.ok(!text.includes('alice'))
      const status = JSON.parse(await sluice(['journal', 'status', '--output', 'json'], { folder }))
      assert.deepEqual([status.dead_letters, status.errors], [1, ['x']])
    })
  })
}

/** A journal's folder with three dead letters of one interception. */
async function letters(folder: string): Promise<string> {
  const dir = join(folder, 'sluice-data', 'journal')
  mkdirSync(dir, { recursive: true })
  const id = interceptionId()
  const records = [start(id), prompt(id, 'Hello'), end(id)]
  await writeDeadLetters(
    dir,
    records.map((record) => ({ setAsideAt: '', error: 'it was full', record })),
  )
  return dir
}

/** Files that hold a text. */
function holding(dir: string, text: string): string[] {
  return readdirSync(dir).filter((name) => readFileSync(join(dir, name)).includes(text))
}
