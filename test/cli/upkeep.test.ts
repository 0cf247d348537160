import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { runCommand } from '../support/gateway-process.ts'
import { fill, inStore, many, refused, sluice, storeFolder } from '../support/store-commands.ts'
import { at, end } from '../support/stored-records.ts'

const commands = [
  'prune',
  'erase --initiator alice --yes',
  'verify',
  'reindex',
  'export',
  'import x.ndjson',
  'migrate --to sqlite:./other.db',
  'journal retry',
  'journal status',
]
const day = 86_400_000

test('every command tells how it is used', async () => {
  await Promise.all(
    commands.map(async (command) => {
      const [, name = ''] = /^(journal \w+|\w+)/.exec(command) ?? []
      const { code, stdout } = await runCommand([...name.split(' '), '--help'])
      assert.equal(code, 0)
      assert.match(stdout, new RegExp(`Examples:\n  .*sluice ${name}`), name)
    }),
  )
})

test('without a store that others can see nothing is done', async () => {
  const env = { SLUICE_STORE: 'memory:' }
  await Promise.all(
    commands
      .filter((command) => !command.startsWith('journal'))
      .map(async (command) => {
        const { stderr } = await refused(command.split(' '), { env })
        assert.match(stderr, /^sluice: the store is memory:/, command)
      }),
  )
  for (const command of ['prune', 'export']) {
    const { stderr } = await refused([command], {})
    assert.match(stderr, /^sluice: there is no store at \.\/sluice-data\/sluice\.db yet/, command)
  }
})

test('prune goes by the settings, or by what it is told', async () => {
  const { folder, url } = storeFolder()
  const ago = (days: number) => ({ startedAt: new Date(Date.now() - days * day).toISOString() })
  await inStore(url, (store) =>
    fill(
      store,
      [ago(100), ago(70), ago(50), ago(10), ago(1)].map((it) => ({ ...it, text: 'words' })),
    ),
  )
  const json = async (...args: string[]) => {
    const text = await sluice(['prune', '--output', 'json', ...args], { folder })
    const { interceptions, contents } = JSON.parse(text)
    return [interceptions, contents]
  }
  assert.deepEqual(await json('--dry-run'), [2, 0])
  assert.deepEqual(await json('--dry-run', '--older-than', '2d'), [4, 0])
  assert.deepEqual(await json('--dry-run', '--content-older-than', '2d'), [0, 4])
  assert.match(
    await sluice(['prune', '--dry-run', '--older-than', '60d', '--content-older-than', '2d'], {
      folder,
    }),
    /^2 interceptions from before \S+Z would be removed\nthe content of 2 interceptions from before \S+Z would be removed\n$/,
  )
  assert.equal((await listed(folder)).length, 5)
  const env = { SLUICE_RETENTION: '90d', SLUICE_RETENTION_CONTENT: '20d' }
  assert.match(
    await sluice(['prune'], { folder, env }),
    /^1 interception from before \S+Z were removed\nthe content of 2 interceptions/,
  )
  assert.deepEqual(
    (await listed(folder)).map(({ user_prompts: [it] }) => it?.prompt),
    ['', '', 'words', 'words'],
  )
  assert.deepEqual(await json('--before', ago(20).startedAt), [2, 0])
  assert.deepEqual(await json(), [0, 0])
  assert.equal((await listed(folder)).length, 2)
  await sluice(['verify'], { folder })
})

test('limits that would be a mistake are refused', async () => {
  const { folder, url } = storeFolder()
  await inStore(url, (store) => fill(store, many(2)))
  const cases: [string[], RegExp][] = [
    [['--older-than', '0'], /must be longer than 0/],
    [['--older-than', '-1d'], /is no duration/],
    [['--older-than', '30'], /is no duration/],
    [['--content-older-than', 'x'], /is no duration/],
    [['--before', '2100-01-01'], /lies in the future/],
    [['--before', '2026-01-01', '--older-than', '1d'], /cannot be used with/],
    [['--config', 'none.yaml'], /none\.yaml/],
  ]
  for (const [args, message] of cases)
    assert.match((await refused(['prune', ...args], { folder })).stderr, message)
  const env = { SLUICE_RETENTION: '0' }
  assert.match((await refused(['prune'], { folder, env })).stderr, /all is kept for ever/)
  const nobody = await refused(['erase', '--initiator', ' ', '--yes'], { folder })
  assert.match(nobody.stderr, /names nobody/)
  assert.equal((await listed(folder)).length, 2)
})

test('erase asks, and then nothing of a user is left or let in', async () => {
  const { folder, path, url } = storeFolder()
  const alice = { initiatorId: 'u-1', initiatorUsername: 'alice', text: 'unforgettable' }
  const [first = ''] = await inStore(url, async (store) => {
    await fill(store, many(3))
    return fill(store, many(4, alice))
  })
  const dry = await sluice(['erase', '--initiator', 'alice', '--dry-run'], { folder })
  assert.match(dry, /^4 interceptions of alice \(u-1\) would be erased from \S+\n$/)
  const { stderr } = await refused(['erase', '--initiator', 'alice'], { folder })
  assert.match(stderr, /cannot be undone: add --yes/)
  assert.equal((await listed(folder)).length, 7)
  assert.match((await refused(['erase'], { folder })).stderr, /required option '--initiator/)

  const said = await sluice(['erase', '--initiator', 'alice', '--yes'], { folder })
  assert.match(said, /^4 interceptions of alice \(u-1\) were erased from .*\n.*log files.*backups/)
  assert.equal((await listed(folder)).length, 3)
  await inStore(url, async (store) => {
    await store.record([end(first)])
    await fill(store, [{ ...alice, startedAt: at(0) }])
    assert.equal((await store.verify()).orphans, 0)
  })
  assert.equal((await listed(folder)).length, 3)
  assert.deepEqual(filesWith(path, 'unforgettable'), [])
  const again = await sluice(['erase', '--initiator', 'alice', '--yes', '--output', 'json'], {
    folder,
  })
  assert.equal(JSON.parse(again).interceptions, 0)
})

test('verify counts, finds what is wrong and ends with 1; reindex puts it right', async () => {
  const { folder, path, url } = storeFolder()
  await inStore(url, (store) => fill(store, many(3)))
  const report = JSON.parse(await sluice(['verify', '--output', 'json'], { folder }))
  assert.deepEqual(report, {
    interceptions: 3,
    records: 15,
    sessions: 3,
    open: 0,
    orphans: 0,
    faults: [],
  })
  const database = new DatabaseSync(path)
  database.exec('UPDATE sessions SET output_tokens = 7')
  database.close()
  const { stdout, stderr } = await refused(['verify'], { folder })
  assert.match(stdout, /\nfault: .*: run reindex/)
  assert.match(stderr, /^sluice: \S+ has \d+ faults?\n$/)
  assert.match(await sluice(['reindex'], { folder }), /: 3 interceptions in 3 sessions\n$/)
  await sluice(['verify'], { folder })
})

interface Row {
  readonly user_prompts: readonly { readonly prompt: string }[]
}

async function listed(folder: string): Promise<Row[]> {
  const text = await sluice(['export', '--running'], { folder })
  return text.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as Row]))
}

/** The store's files that hold a text. */
function filesWith(path: string, text: string): string[] {
  return readdirSync(dirname(path))
    .filter((name) => name.startsWith(basename(path)) && !name.endsWith('.processes'))
    .filter((name) => readFileSync(join(dirname(path), name)).includes(text))
}
