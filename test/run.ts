import { globSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { matchesGlob, relative, resolve } from 'node:path'
import { run } from 'node:test'
import { parseArgs } from 'node:util'
import { TestReport } from './support/test-report.ts'

const usage = `npm test -- [--name PATTERN] [--file-timeout SECONDS] [--root FOLDER] [FILE-PATTERN ...]
  FILE-PATTERN   part of a file's path, or a glob; all test/**/*.test.ts without one
  --name         runs only the tests whose names match this regular expression
  --file-timeout how long one file's process may take, 300 without it
  --root         where test files and their paths start, the project by default`

const testTimeout = 120_000

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    root: { type: 'string', default: resolve(import.meta.dirname, '..') },
    name: { type: 'string' },
    'file-timeout': { type: 'string', default: '300' },
    help: { type: 'boolean', short: 'h' },
  },
})
if (values.help) console.log(usage)
else await main()

async function main(): Promise<void> {
  const report = new TestReport(values.root)
  const queue = testFiles(values.root, positionals)
  await Promise.all(Array.from({ length: availableParallelism() }, () => work(queue, report)))
  report.close()
  // Set, not called: output to a pipe is still on its way.
  process.exitCode = report.green ? 0 : 1
}

function testFiles(root: string, patterns: readonly string[]): string[] {
  const files = globSync('test/**/*.test.ts', { cwd: root }).sort()
  const chosen = files.filter(
    (file) =>
      patterns.length === 0 ||
      patterns.some(
        (pattern) =>
          matchesGlob(file, pattern) || resolve(root, file).includes(pattern.replace(/^\.\//, '')),
      ),
  )
  return chosen.map((file) => resolve(root, file))
}

/** Runs files, each in a process of its own, until none is left. */
async function work(queue: string[], report: TestReport): Promise<void> {
  for (let file = queue.shift(); file !== undefined; file = queue.shift()) {
    const tests = run({
      files: [file],
      isolation: 'process',
      timeout: testTimeout,
      // A test's time-out does not end a process that a forgotten socket or timer keeps.
      signal: AbortSignal.timeout(Number(values['file-timeout']) * 1000),
      ...(values.name === undefined ? {} : { testNamePatterns: [new RegExp(values.name)] }),
    })
    await report.file(relative(values.root, file)).watch(tests)
  }
}
