import assert from 'node:assert/strict'
import { execFile, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { after, before, test } from 'node:test'
import { promisify } from 'node:util'
import { docBlocks, documents, project, readDocument } from './support/doc-blocks.ts'
import { removeFolder } from './support/doc-programs.ts'

// Commands that are shown are run as they stand, in a folder that looks like a clone, beside the demo that the
// README starts. Only its port is another one.
const shownUrl = 'http://127.0.0.1:4141'

/** Commands that would test the tests or download things: who runs them, and by which words. */
const runElsewhere: Readonly<Record<string, readonly [file: string, words: string]>> = {
  'npm ci': ['.ci/run', 'npm ci'],
  'npm test': ['.ci/run', 'npm test'],
  'npm test -- sse stores': ['test/run.test.ts', 'a pattern chooses files'],
  "npm test -- --name 'client leaves'": ['test/run.test.ts', 'a name chooses tests'],
  "curl -sN 'http://127.0.0.1:4141/api/v2/aibridge/stream?client=Codex'": [
    'test/server/api/stream.test.ts',
    'filters hold for the stream',
  ],
  "curl -s -OJ 'http://127.0.0.1:4141/api/v2/aibridge/export?format=csv&model=gpt-5.4'": [
    'test/server/api/export.test.ts',
    'as CSV each is a row',
  ],
  'sluice doctor': ['test/cli/checks.test.ts', 'a sound machine has no fault'],
  'sluice tail --initiator alice': ['test/cli/lists.test.ts', 'tail tells what ends'],
  'kill -HUP "$(pgrep -f \'sluice serve\')"': ['test/server/reload.test.ts', 'a hang-up swaps'],
  'source <(sluice completion bash)': ['test/cli/checks.test.ts', 'bash completes commands'],
  'ANTHROPIC_BASE_URL=http://127.0.0.1:4141/anthropic claude': [
    'test/agents.test.ts',
    'claudeCode',
  ],
}

const blocks = documents.flatMap(docBlocks)
const commands = blocks
  .filter(({ language }) => language === 'sh')
  .flatMap(({ text, place }) =>
    text
      .replaceAll('\\\n', ' ')
      .split('\n')
      .flatMap((line) => line.replace(/\s+#.*$/, '').split(' && '))
      .filter((line) => line.trim() !== '')
      .map((line) => ({ command: line.trim(), place })),
  )

let clone: string
let demo: Demo

before(async () => {
  clone = mkdtempSync(join(tmpdir(), 'sluice-clone-'))
  for (const name of ['package.json', 'src', 'node_modules', 'examples', 'bench', 'test'])
    symlinkSync(join(project, name), join(clone, name))
  const installed = join(clone, 'bin', 'sluice')
  mkdirSync(dirname(installed))
  writeFileSync(installed, `#!/bin/sh\nexec node "${join(project, 'src/cli/main.ts')}" "$@"\n`)
  chmodSync(installed, 0o755)
  demo = await startDemo()
  // What is shown finds something.
  await demo.says((line) => /alice +Claude Code/.test(line), 'a request of alice’s')
})
after(async () => {
  await demo.stop()
  removeFolder(clone)
})

test('commands that are not run here are run elsewhere, and still shown', () => {
  for (const [command, [file, words]] of Object.entries(runElsewhere)) {
    assert.ok(readDocument(file).includes(words), `${command}: ${file}`)
    assert.ok(
      documents.some((path) => readDocument(path).includes(command)),
      command,
    )
  }
})

test('options of the benchmark are those that it tells', () => {
  const { stdout } = spawnSync(process.execPath, [join(project, 'bench/run.ts'), '--help'], {
    encoding: 'utf8',
  })
  for (const { command } of commands.filter(isBench)) {
    for (const word of command.split(' ').slice(4))
      if (/^--|^sqlite/.test(word)) assert.match(stdout, new RegExp(`(^|\\s)${word}\\s`), command)
  }
})

function isBench({ command }: { readonly command: string }): boolean {
  // Figures take minutes and a quiet machine.
  return command.startsWith('npm run bench')
}

for (const { command, place } of commands) {
  if (command in runElsewhere || isBench({ command })) continue
  const [program = ''] = command.split(' ')
  const missing = spawnSync(program, ['--version']).error !== undefined && program !== 'sluice'
  test(`${place}: ${command}`, {
    skip: missing && `needs ${program}, which this machine lacks`,
  }, async () => {
    if (command.startsWith('npm start')) {
      const server = await start(command)
      assert.equal(await server.stop(), 0)
      return
    }
    const { stdout } = await promisify(execFile)(
      'sh',
      ['-c', command.replaceAll(shownUrl, demo.url)],
      {
        cwd: clone,
        env: environment({ SLUICE_STORE: 'sqlite:./sluice-data/demo.db' }),
      },
    )
    // They say what they did, and fail where they could not.
    if (
      /^(sluice (export|import|migrate|prune|erase|verify|reindex|journal|users|tokens|sessions|stats|config|completion)|sqlite3) /.test(
        `${command} `,
      )
    )
      return
    if (stdout.startsWith('[') || stdout.startsWith('{')) {
      const { results = stdout } = JSON.parse(stdout)
      assert.ok(results.length > 0)
    } else assert.match(stdout, /^sluice_\w+ \d/m)
  })
}

test('what is shown of a terminal is what a terminal shows', async () => {
  // Other texts are pictures.
  const captures = blocks.filter(
    ({ language, text }) => language === 'text' && /^sluice listening|^\d\d:\d\d:\d\d /m.test(text),
  )
  assert.ok(captures.length > 0)
  const interception = /^\d\d:\d\d:\d\d (.*) in \d+\.\d\d s$/
  for (const { text } of captures) {
    for (const line of text.replaceAll(shownUrl, demo.url).split('\n')) {
      if (line.trim() === '…') continue
      const [, what = line] = interception.exec(line) ?? []
      await demo.says((said) => said === line || interception.exec(said)?.[1] === what, line)
    }
  }
})

test('the record that the README shows is one of the demo, shortened', async () => {
  const shown = blocks.find(
    ({ language, text }) => language === 'json' && text.includes('"outcome"'),
  )
  const record = JSON.parse(shown?.text ?? '{}')
  const list = `${demo.url}/api/v2/aibridge/interceptions`
  const query = new URLSearchParams({ initiator: record.initiator.id, limit: '1000' })
  await demo.says((text) => /alice.*tools: Bash/.test(text), 'alice’s use of Bash')
  const { results } = (await (await fetch(`${list}?${query}`)).json()) as { results: Found[] }
  const real = results.find(({ tool_usages: [call] }) => call?.tool === record.tool_usages[0].tool)
  assert.ok(real)
  for (const name of ['duration_ms', 'id'] as const) real[name] = record[name]
  assertPart(record, real)
})

interface Found {
  id: unknown
  duration_ms: unknown
  readonly tool_usages: readonly { readonly tool: string }[]
}

/** All that the part has, the whole has too. */
function assertPart(part: unknown, whole: unknown, path = ''): void {
  if (typeof part !== 'object' || part === null) {
    assert.deepEqual(part, whole, path)
    return
  }
  for (const [name, value] of Object.entries(part))
    assertPart(value, (whole as Record<string, unknown>)?.[name], `${path}.${name}`)
}

interface Demo {
  readonly url: string
  /** Waits for a line, on either output. */
  says(wanted: (line: string) => boolean, what: string): Promise<void>
  /** Ends it as a terminal does, and tells its exit code. */
  stop(): Promise<number | null>
}

function startDemo(): Promise<Demo> {
  assert.ok(readDocument('README.md').includes('npm ci && npm start -- --demo'))
  return start('npm start -- --demo')
}

/** Runs a command that starts the gateway, until it listens. */
async function start(command: string): Promise<Demo> {
  const child = spawn('sh', ['-c', `exec ${command}`], {
    cwd: clone,
    env: environment({ SLUICE_PORT: '0' }),
    detached: true,
  })
  const exited = once(child, 'exit') as Promise<[number | null]>
  let output = ''
  const watchers = new Set<() => void>()
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text
      for (const watch of watchers) watch()
    })
  }
  const says: Demo['says'] = (wanted, what) =>
    new Promise((resolve, reject) => {
      const late = setTimeout(() => finish(new Error(`not said: ${what}\n${output}`)), 20_000)
      const watch = () => output.split('\n').some(wanted) && finish()
      const finish = (error?: Error) => {
        clearTimeout(late)
        watchers.delete(watch)
        if (error) reject(error)
        else resolve()
      }
      watchers.add(watch)
      watch()
    })
  await says((line) => line.startsWith('sluice listening on '), 'sluice listening on')
  return {
    url: /listening on (\S+)/.exec(output)?.[1] ?? '',
    says,
    stop: async () => {
      // To the group: npm does not hand signals on to what it runs.
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGTERM')
      return (await exited)[0]
    },
  }
}

function environment(more: Readonly<Record<string, string>>): Record<string, string> {
  const { PATH = '', HOME = '' } = process.env
  const path = [join(clone, 'bin'), dirname(process.execPath), PATH].join(delimiter)
  return { PATH: path, HOME, ...more }
}
