import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { startId } from '../../src/core/ids.ts'
import { damageFile } from '../plugins/sqlite/damage-file.ts'
import { runCommand } from '../support/gateway-process.ts'
import { fill, inStore, many, refused, sluice, storeFolder } from '../support/store-commands.ts'

/** A store of three interceptions, one with a damaged prompt, one with a damaged start; and what it held before. */
async function damagedStore() {
  const { folder, path, url } = storeFolder()
  const ids = await inStore(url, (store) => fill(store, many(3, { text: 'words' })))
  const [first = '', second = ''] = ids
  const before = await sluice(['export'], { folder })
  writeFileSync(join(folder, 'before.ndjson'), before)
  damageFile(
    path,
    `UPDATE records SET body = 'x' WHERE id = '${startId(first)}'
       OR (interception_id = '${second}' AND type = 'prompt_usage')`,
  )
  return { folder, path, first, second, before }
}

test('an export of a damaged store has all that can be read, says what it lacks, and ends with 1', async () => {
  const { folder, first, second } = await damagedStore()
  const { stdout, stderr } = await refused(['export'], { folder })
  const lines = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
  assert.equal(lines.length, 3)
  assert.deepEqual(
    lines.map(({ damaged = [] }) => damaged.map(({ record_type: type }: never) => type)),
    [['interception_start'], ['prompt_usage'], []],
  )
  for (const id of [first, second])
    assert.match(stderr, new RegExp(`interception ${id} in .* are damaged and left out`))
  assert.match(stderr, /\nsluice: 2 records could not be read and were left out: sluice verify/)
  const csv = await refused(['export', '--format', 'csv', '--out', 'a.csv'], { folder })
  assert.match(csv.stderr, /2 records could not be read/)
  assert.equal(readFileSync(join(folder, 'a.csv'), 'utf8').trimEnd().split('\n').length, 4)
})

test('verify names what is damaged, reindex goes on, and an import of a good export mends it', async () => {
  const { folder, first, second, before } = await damagedStore()
  const { stdout } = await refused(['verify'], { folder })
  assert.match(
    stdout,
    new RegExp(
      `fault: 2 records are damaged .*\\(of interception ${[first, second].sort().join(', ')}\\)`,
    ),
  )
  const { code, stdout: said, stderr } = await runCommand(['reindex'], { folder })
  assert.equal(code, 0)
  assert.match(said, /3 interceptions in 3 sessions\n2 records could not be read/)
  assert.match(stderr, new RegExp(first))
  await refused(['verify'], { folder })
  await sluice(['import', 'before.ndjson'], { folder })
  await sluice(['verify'], { folder })
  assert.ok((await sluice(['export'], { folder })) === before)
})

test('what is left of damaged records takes no whole ones’ place in another store', async () => {
  const { folder, before } = await damagedStore()
  const good = ['--store', 'sqlite:./good.db']
  await sluice(['import', 'before.ndjson', ...good], { folder })
  const { stderr, stdout } = await refused(['migrate', '--to', 'sqlite:./good.db'], { folder })
  assert.match(`${stderr}${stdout}`, /2 records could not be read and were not copied/)
  assert.ok((await sluice(['export', ...good], { folder })) === before)
  writeFileSync(join(folder, 'after.ndjson'), (await refused(['export'], { folder })).stdout)
  await sluice(['import', 'after.ndjson', ...good], { folder })
  assert.ok((await sluice(['export', ...good], { folder })) === before)
  // Into a new store they are better than nothing.
  const fresh = ['--store', 'sqlite:./fresh.db']
  await sluice(['import', 'after.ndjson', ...fresh], { folder })
  assert.equal((await sluice(['export', ...fresh], { folder })).trimEnd().split('\n').length, 3)
})
