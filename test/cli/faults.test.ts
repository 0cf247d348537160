import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, openSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { runCommand, workFolder } from '../support/gateway-process.ts'

const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))

test('whatever is wrong with a command is told in a line of its own, with the way out', async () => {
  for (const [args, told] of [
    [['interceptions', 'list', '--bogus'], /^sluice: unknown option '--bogus'\n\(add --help/],
    [['sessions', 'lst'], /^sluice: unknown command 'lst'\n\(Did you mean list\?\)/],
    [['help', 'serv'], /^sluice: unknown command 'serv'\n\(add --help/],
    [['users', 'help', 'ad'], /^sluice: unknown command 'ad'\n/],
    [['completion', 'tcsh'], /^sluice: .*Allowed choices are bash, zsh, fish\.\n/],
    [['stats', '--url', 'http://127.0.0.1:9'], /^sluice: .*ECONNREFUSED.* Is a gateway running/],
    [['users', 'list', '--url', 'http://127.0.0.1:9'], /^sluice: .* Is a gateway running there\?/],
  ] as const) {
    const { code, stdout, stderr } = await runCommand(args)
    assert.deepEqual([code, stdout], [1, ''], args.join(' '))
    assert.match(stderr, told)
  }
})

test('a gateway whose store can never open ends with one line that names it and the way out', () => {
  const folder = workFolder()
  writeFileSync(join(folder, 'file'), '')
  mkdirSync(join(folder, 'sluice.db'))
  spawnSync('mkfifo', [join(folder, 'pipe')])
  const inProc = existsSync('/proc/self') ? ['/proc/none', '/proc/none/below'] : []
  for (const path of ['file/sluice.db', 'sluice.db', 'pipe', ...inProc]) {
    const args = ['serve', '--port', '0', '--store', `sqlite:${path}`]
    const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...args], {
      cwd: folder,
      encoding: 'utf8',
      timeout: 30_000,
      killSignal: 'SIGKILL',
    })
    assert.deepEqual([status, stdout], [1, ''], `${path}: ${stderr}`)
    assert.match(stderr, /^sluice: the store cannot be opened: [^\n]*name [^\n]*\n$/)
    assert.ok(stderr.includes(resolve(folder, path)), stderr)
  }
})

test('times are taken as the API takes them', async () => {
  const url = ['--url', 'http://127.0.0.1:9']
  for (const time of [
    '2026-01-15t10:30:00z',
    '2026-01-15T10:30:00.123456789+01:00',
    '2026-01-15',
  ]) {
    const { stderr } = await runCommand(['stats', '--started-after', time, ...url])
    assert.match(stderr, /ECONNREFUSED/, time)
  }
})

test('help and version answer to their short flags', async () => {
  assert.match((await runCommand(['-h'])).stdout, /^Usage: sluice /)
  assert.match((await runCommand(['help', 'stats'])).stdout, /^Usage: sluice stats /)
  assert.match((await runCommand(['users', 'help', 'add'])).stdout, /^Usage: sluice users add /)
  assert.match((await runCommand(['-V'])).stdout, /^\d+\.\d+\.\d+\n$/)
})

test('commands on users and tokens have examples', async () => {
  for (const args of [
    ['users', 'list'],
    ['users', 'set-role'],
    ['users', 'remove'],
    ['tokens', 'list'],
    ['tokens', 'revoke'],
  ])
    assert.match((await runCommand([...args, '--help'])).stdout, /\nExamples:\n {2}sluice /)
})

test('output that cannot be written is a fault, in one line', {
  skip: existsSync('/dev/full') ? false : 'needs /dev/full',
}, () => {
  const folder = workFolder()
  const run = (...args: string[]) =>
    spawnSync(process.execPath, [main, ...args], {
      cwd: folder,
      stdio: ['ignore', openSync('/dev/full', 'w'), 'pipe'],
      encoding: 'utf8',
    })
  assert.equal(run('users', 'add', 'ann').status, 1)
  const { status, stderr } = run('stats')
  assert.equal(status, 1)
  assert.match(stderr, /^sluice: standard output cannot be written: ENOSPC[^\n]*\n$/)
})
