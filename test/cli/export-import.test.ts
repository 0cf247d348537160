import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { before, test } from 'node:test'
import { runCommand, startCommand } from '../support/gateway-process.ts'
import {
  fill,
  inStore,
  many,
  refused,
  type StoreFolder,
  sluice,
  storeFolder,
} from '../support/store-commands.ts'
import { at } from '../support/stored-records.ts'

const count = 2000
let filled: StoreFolder

before(async () => {
  filled = storeFolder()
  await inStore(filled.url, async (store) => {
    await fill(store, many(count))
    await fill(store, many(3, { initiatorId: 'u-1', initiatorUsername: 'alice', ms: 9000 }))
  })
})

test('an export is a line for each, and an import of it exports the same bytes', async () => {
  const { folder } = filled
  const text = await sluice(['export'], { folder })
  assert.equal(linesOf(text).length, count + 3)
  writeFileSync(join(folder, 'all.ndjson'), text)
  const other = ['--store', `sqlite:${join(folder, 'other.db')}`]
  for (const times of [1, 2]) {
    const said = await sluice(['import', 'all.ndjson', ...other], { folder })
    assert.match(said, /^2,003 interceptions were imported into /, `${times}`)
    assert.ok((await sluice(['export', ...other], { folder })) === text)
  }
  assert.match(await sluice(['verify', ...other], { folder }), /2,003 interceptions with 10,015/)
})

test('a dry run judges every line and leaves the disk as it was', async () => {
  const { folder, path } = storeFolder()
  const [line = ''] = (await sluice(['export'], { folder: filled.folder })).split('\n')
  writeFileSync(join(folder, 'some.ndjson'), `${line}\n{"id": 1}\nno json\n`)
  const dry = ['import', 'some.ndjson', '--dry-run']
  const { stdout, stderr } = await refused(dry, { folder })
  assert.match(stdout, /^1 interception could be imported into \S+sluice\.db\n$/)
  assert.match(stderr, /line 2: .*\n.*line 3: is no JSON.*\n.*2 lines could not be imported/)
  assert.deepEqual(readdirSync(folder), ['some.ndjson'])
  // Nor is one that is there opened: that alone makes files.
  writeFileSync(join(folder, 'some.ndjson'), `${line}\n`)
  mkdirSync(dirname(path))
  writeFileSync(path, '')
  assert.match(await sluice(dry, { folder }), /^1 interception could/)
  assert.deepEqual(readdirSync(dirname(path)), ['sluice.db'])
  assert.equal(statSync(path).size, 0)
  const nowhere = await refused([...dry, '--store', 'memory:'], { folder })
  assert.match(nowhere.stderr, /the store is memory:/)
})

test('an export into a file is there when it is whole, for its owner alone', async () => {
  const { folder } = filled
  assert.equal(await sluice(['export', '--out', 'a.ndjson'], { folder }), '')
  const path = join(folder, 'a.ndjson')
  assert.equal(statSync(path).mode & 0o777, 0o600)
  assert.ok(readFileSync(path, 'utf8') === (await sluice(['export'], { folder })))
  const { stderr } = await refused(['export', '--out', join('nowhere', 'b.ndjson')], { folder })
  assert.match(stderr, /^sluice: nowhere.b\.ndjson cannot be written: name a file .*ENOENT/)
  assert.ok(!existsSync(`${path}.part`))
})

test('an export takes the place of no pipe, device or link', async () => {
  const { folder } = filled
  const [pipe, link] = [join(folder, 'pipe'), join(folder, 'link')]
  execFileSync('mkfifo', [pipe])
  const args = ['export', '--initiator', 'alice', '--out']
  const [text] = await Promise.all([readFile(pipe, 'utf8'), sluice([...args, pipe], { folder })])
  assert.equal(linesOf(text).length, 3)
  assert.ok(lstatSync(pipe).isFIFO())
  writeFileSync(join(folder, 'target'), '')
  symlinkSync('target', link)
  await sluice([...args, link], { folder })
  assert.ok(lstatSync(link).isSymbolicLink())
  assert.ok(readFileSync(join(folder, 'target'), 'utf8') === text)
})

test('filters and formats', async () => {
  const { folder } = filled
  const rows = async (...args: string[]) =>
    linesOf(await sluice(['export', ...args], { folder })).length
  assert.equal(await rows('--initiator', 'alice'), 3)
  assert.equal(await rows('--initiator', 'alice', '--format', 'csv'), 4)
  assert.equal(await rows('--started-after', at(1990)), 13)
  assert.equal(await rows('--started-after', at(1990), '--started-before', at(1995)), 6)
  assert.equal(await rows('--started-before', '2026-01-15'), 0)
  assert.equal(await rows('--started-after', '2026-01-15T11:30:01.990+01:00'), 13)
  assert.equal(await rows('--tool', 'Bash', '--initiator', 'alice'), 3)
  assert.equal(await rows('--tool', 'Read'), 0)
  assert.equal(await rows('--repo', 'sluice', '--initiator', 'alice'), 3)
  assert.equal(await rows('--outcome', 'failed'), 0)
})

test('a reader that has seen enough is no fault', async () => {
  const child = startCommand(['export'], { folder: filled.folder })
  let stderr = ''
  child.stderr?.on('data', (chunk) => {
    stderr += chunk
  })
  child.stdout?.once('data', () => child.stdout?.destroy())
  const [code] = (await once(child, 'close')) as [number]
  assert.equal(stderr, '')
  assert.equal(code, 0)
})

test('it exports on while a gateway writes', async () => {
  const { folder, url } = storeFolder()
  await inStore(url, async (store) => {
    await fill(store, many(600))
    let writing = true
    const writer = (async () => {
      while (writing) await fill(store, many(20, { ms: 1_000_000 }))
    })()
    const text = await sluice(['export'], { folder })
    writing = false
    await writer
    const ids = linesOf(text).map((line) => (JSON.parse(line) as { id: string }).id)
    assert.equal(ids.length, new Set(ids).size)
    assert.ok(ids.length >= 600)
  })
})

test('bad lines are told by their number, the others are imported', async () => {
  const { folder } = storeFolder()
  const lines = linesOf(await sluice(['export', '--initiator', 'alice'], { folder: filled.folder }))
  writeFileSync(
    join(folder, 'some.ndjson'),
    [lines[0], '{}', lines[1], 'oops', lines[2]].join('\n'),
  )
  const dry = await refused(['import', 'some.ndjson', '--dry-run'], { folder })
  assert.match(dry.stdout, /^3 interceptions could be imported/)
  const { stdout, stderr } = await refused(['import', 'some.ndjson'], { folder })
  assert.match(stdout, /^3 interceptions were imported/)
  assert.match(
    stderr,
    /^sluice: line 2: id: .*\nsluice: line 4: is no JSON.*\nsluice: 2 lines could not/,
  )
  assert.equal(linesOf(await sluice(['export'], { folder })).length, 3)
})

test('of a file of another kind some lines are told, and none drives a terminal', async () => {
  const { folder } = storeFolder()
  writeFileSync(join(folder, 'other.bin'), '\u001b[2J\u0000\n'.repeat(5000))
  const { stderr } = await refused(['import', 'other.bin'], { folder })
  assert.equal(stderr.trimEnd().split('\n').length, 22)
  assert.match(stderr, /and 4,980 further lines\nsluice: 5,000 lines could not be imported/)
  assert.ok(!/(?!\n)\p{Cc}/u.test(stderr))
})

test('an import reads standard input, and tells what the store refuses', async () => {
  const { folder, url } = storeFolder()
  const text = await sluice(['export', '--initiator', 'alice'], { folder: filled.folder })
  await inStore(url, (store) => store.prune({ before: '2026-03-01T00:00:00.000Z' }))
  const child = startCommand(['import', '-', '--output', 'json'], { folder })
  child.stdin?.end(text)
  let stdout = ''
  child.stdout?.on('data', (chunk) => {
    stdout += chunk
  })
  const [code] = (await once(child, 'close')) as [number]
  assert.equal(code, 0)
  assert.deepEqual(JSON.parse(stdout), {
    interceptions: 3,
    records: 15,
    faults: 0,
    refused: 3,
    dry_run: false,
  })
  assert.equal(await sluice(['export'], { folder }), '')
})

test('files, times and formats that will not do are told', async () => {
  const { folder } = filled
  const cases: [string[], RegExp][] = [
    [['import', 'none.ndjson'], /ENOENT.*none\.ndjson/],
    [['import', '.'], /sluice: \. cannot be read: EISDIR/],
    [['import'], /missing required argument 'file'/],
    [['export', '--format', 'xml'], /Allowed choices are ndjson, csv/],
    [['export', '--started-after', 'yesterday'], /Write 2026-01-31/],
    [['export', '--started-after', '2026-02-31T'], /Write 2026-01-31/],
    [['export', '--repo', ' '], /--repo: must not be blank/],
    [['export', '--colour'], /unknown option '--colour'/],
    [['export', 'all'], /too many arguments/],
  ]
  for (const [args, message] of cases) {
    const { code, stdout, stderr } = await runCommand(args, { folder })
    assert.equal(code, 1, args.join(' '))
    assert.equal(stdout, '')
    assert.match(stderr, message)
  }
})

function linesOf(text: string): string[] {
  return text === '' ? [] : text.trimEnd().split('\n')
}
