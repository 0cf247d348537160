import assert from 'node:assert/strict'
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { delimiter, dirname, join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { runCommand, workFolder } from '../support/gateway-process.ts'
import { fill, inStore, many, storeFolder } from '../support/store-commands.ts'

const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))

let provider: Server
let url: string
/** What the provider's clock says, in ms after ours. */
let late = 0

before(async () => {
  provider = createServer((_request, response) => {
    response.setHeader('date', new Date(Date.now() + late).toUTCString())
    response.writeHead(401).end()
  })
  await new Promise<void>((resolve) => provider.listen(0, '127.0.0.1', resolve))
  url = `http://127.0.0.1:${(provider.address() as AddressInfo).port}`
})
after(() => {
  provider.close()
  provider.closeAllConnections()
})

test('a sound machine has no fault', async () => {
  const { folder, url: store } = storeFolder()
  await inStore(store, (open) => fill(open, many(2)))
  late = 0
  const { findings, code } = await doctor([], { folder })
  assert.equal(code, 0)
  assert.deepEqual([...new Set(findings.map(({ level }) => level))], ['ok'])
  assert.match(told(findings, 'store'), /holds 2 interceptions/)
  assert.match(told(findings, 'provider'), /anthropic at .* answers \(401/)
})

test('a file in the place of the store’s folder is told as that', async () => {
  const folder = workFolder()
  writeFileSync(join(folder, 'file'), '')
  const { findings, code } = await doctor(['--store', 'sqlite:./file/sluice.db'], { folder })
  assert.equal(code, 1)
  assert.match(told(findings, 'folder'), /file is no folder, and one is needed there/)
})

test('each thing that is wrong is told with how to mend it, and ends with 1', async () => {
  const { folder, path } = storeFolder()
  mkdirSync(dirname(path))
  writeFileSync(path, 'this is no database '.repeat(100))
  chmodSync(path, 0o644)
  late = 3_600_000
  const gone = ['--openai-base-url', 'http://127.0.0.1:1']
  const port = new URL(url).port
  const { findings, code } = await doctor(['--port', port, '--colour', ...gone], {
    folder,
    env: { SLUICE_PROT: '1' },
  })
  assert.equal(code, 1)
  const wrong = findings.filter(({ level }) => level !== 'ok')
  for (const { message, mend } of wrong) assert.ok(mend, message)
  const levels = Object.fromEntries(wrong.map(({ check, level }) => [check, level]))
  assert.equal(levels.store, 'error')
  assert.equal(levels.clock, 'error')
  assert.equal(levels.port, 'error')
  assert.equal(levels.provider, 'error')
  assert.match(told(findings, 'configuration'), /--colour: unknown.*SLUICE_PROT is set/)
  assert.match(told(findings, 'folder'), /others on this machine can read/)
})

test('the configuration is checked as a whole, and shown with where each value comes from', async () => {
  const folder = workFolder()
  writeFileSync(join(folder, 'sluice.config.yaml'), 'logLevel: debug\nretention: 7d\n')
  const env = { SLUICE_OPENAI_KEY: 'sk-very-secret', SLUICE_STORE: 'mongodb://me:pw@db/x' }
  const fine = await runCommand(['config', 'check', '--show', '--retention', '8d'], { folder, env })
  assert.equal(fine.code, 0, fine.stderr)
  for (const line of [
    /^logLevel +debug +sluice\.config\.yaml: logLevel$/m,
    /^retention +8d +--retention$/m,
    /^openaiKey +\(set\) +SLUICE_OPENAI_KEY$/m,
    /^port +4141 +default$/m,
    /^the configuration is fine \(sluice\.config\.yaml\)$/m,
  ])
    assert.match(fine.stdout, line)
  assert.doesNotMatch(fine.stdout + fine.stderr, /very-secret|pw@/)

  const faulty = await runCommand(
    ['config', 'check', '--port', 'x', '--workers', '0', '--output', 'json'],
    { folder },
  )
  assert.equal(faulty.code, 1)
  assert.equal(JSON.parse(faulty.stdout).faults.length, 2)
  assert.match(faulty.stderr, /2 faults:\n {2}--port: .*\n {2}--workers: /)
})

test('bash completes commands, flags and values', { skip: lacks('bash') }, () => {
  const folder = workFolder()
  const bin = join(folder, 'sluice')
  writeFileSync(bin, `#!/bin/sh\nexec "${process.execPath}" "${main}" "$@"\n`)
  chmodSync(bin, 0o755)
  const completed = (...words: string[]) =>
    execFileSync(
      'bash',
      [
        '--norc',
        '-c',
        `source <(sluice completion bash); complete -p sluice >/dev/null || exit 9
        COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _sluice; echo "\${COMPREPLY[*]}"`,
        'bash',
        ...words,
      ],
      { encoding: 'utf8', env: { PATH: `${folder}${delimiter}${process.env.PATH}` } },
    ).trim()
  assert.equal(completed('sluice', 'inter'), 'interceptions')
  assert.equal(completed('sluice', 'sessions', ''), 'list show')
  assert.equal(completed('sluice', 'interceptions', 'list', '--out'), '--outcome --output')
  assert.equal(completed('sluice', 'stats', '--interval', ''), 'hour day')
  assert.equal(completed('sluice', 'serve', '--transport', 'u'), 'undici')
  assert.equal(completed('sluice', 'serve', '--transport', '=', 'u'), 'undici')
  assert.equal(completed('sluice', 'stats', '--interval', '='), 'hour day')
  assert.equal(completed('sluice', 'users', 'set-role', 'bob', ''), 'member auditor owner')
})

test('colours and progress are for terminals alone', { skip: lacks('script') }, async () => {
  const { folder, url: store } = storeFolder()
  await inStore(store, (open) => fill(open, many(3, { sessionId: 'talk' })))
  const show = ['sessions', 'show', 'talk']
  const piped = await runCommand(show, { folder })
  assert.ok(!piped.stdout.includes('\u001b['))
  const seen = inTerminal([...show], folder)
  assert.ok(seen.includes('\u001b[1m'), seen)
  const plain = inTerminal([...show], folder, { NO_COLOR: '1' })
  assert.ok(!plain.includes('\u001b['), plain)
  const out = join(folder, 'out.ndjson')
  assert.match(inTerminal(['export', '--out', out], folder), /3 of 3 interceptions/)
  assert.equal((await runCommand(['export', '--out', out], { folder })).stderr, '')
})

test('nothing that strangers wrote drives a terminal, however it is told', {
  skip: lacks('script'),
}, async () => {
  const { folder, url: store } = storeFolder()
  // ESC, and CSI as one sign; a text that runs from right to left from there on.
  const evil = 'a\u001b]0;x\u0007\u001b[2J\u009b2J\u202eb'
  const start = { sessionId: 'talk', model: evil, client: evil }
  await inStore(store, (open) => fill(open, many(2, { ...start, text: evil })))
  for (const [args, output] of [
    [['sessions', 'show', 'talk'], undefined],
    [['sessions', 'list'], 'table,json,csv'],
    [['interceptions', 'list'], 'table,json,ndjson,csv'],
    [['stats', '--group-by', 'model'], 'table,json,csv'],
    [['export'], undefined],
  ] as const)
    for (const format of output?.split(',') ?? [undefined]) {
      const line = [...args, ...(format ? ['--output', format] : [])]
      const shown = inTerminal(line, folder, { NO_COLOR: '1' })
      assert.ok(shown.includes('2J'), line.join(' '))
      assert.ok(!/(?![\r\n\t])[\p{Cc}\u202e]/u.test(shown), shown)
    }
  const shown = inTerminal(['interceptions', 'list', '--limit', '1'], folder)
  const { stdout } = await runCommand(['interceptions', 'list', '--limit', '1'], { folder })
  assert.deepEqual(JSON.parse(shown), JSON.parse(stdout))
  assert.ok(stdout.includes('\u009b'))
})

test('a gateway ends with the terminal that it was started in', {
  skip: lacks('script'),
}, async () => {
  const folder = workFolder()
  const line = `exec "${process.execPath}" "${main}" serve --port 0`
  const terminal = spawn('script', ['-qec', line, '/dev/null'], { cwd: folder, env: terminalEnv() })
  let said = ''
  const listening = new Promise<string>((resolve) => {
    terminal.stdout.on('data', (text) => {
      said += text
      const [, found] = /sluice listening on (http:\S+)/.exec(said) ?? []
      if (found) resolve(found)
    })
  })
  const gateway = await listening
  terminal.kill('SIGKILL')
  await once(terminal, 'exit')
  while (
    await fetch(`${gateway}/healthz`).then(
      ({ ok }) => ok,
      () => false,
    )
  )
    await pause(50)
})

interface Found {
  readonly check: string
  readonly level: string
  readonly message: string
  readonly mend?: string
}

async function doctor(
  args: readonly string[],
  options: Parameters<typeof runCommand>[1],
): Promise<{ findings: Found[]; code: number | null }> {
  const base = ['--port', '0', '--anthropic-base-url', url, '--openai-base-url', url]
  const { stdout, code } = await runCommand(
    ['doctor', '--output', 'json', ...base, ...args],
    options,
  )
  return { findings: JSON.parse(stdout).findings, code }
}

function told(findings: readonly Found[], check: string): string {
  return findings
    .filter((found) => found.check === check)
    .map(({ message }) => message)
    .join('; ')
}

function inTerminal(args: readonly string[], folder: string, env: object = {}): string {
  const line = `"${process.execPath}" "${main}" ${args.join(' ')}`
  return spawnSync('script', ['-qec', line, '/dev/null'], {
    cwd: folder,
    encoding: 'utf8',
    env: { ...terminalEnv(), ...env },
  }).stdout
}

function terminalEnv(): NodeJS.ProcessEnv {
  const { PATH = '', HOME = '' } = process.env
  return { PATH, HOME, TERM: 'xterm-256color', SHELL: '/bin/sh' }
}

function lacks(program: string): string | false {
  const { error } = spawnSync(program, ['--version'])
  return error !== undefined && `needs ${program}, which this machine lacks`
}
