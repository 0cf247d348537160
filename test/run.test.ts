import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'

test('passed and failed are summed in the last line, and a failure is told by name', (t) => {
  const { status, output, lastLine } = runTests(t, {
    'good.test.ts': `test('adds', () => {}); describe('a suite', () => { it('counts once', () => {}) })`,
    'bad.test.ts': `describe('a suite', () => { it('breaks', () => { throw new Error('of brass') }) })`,
  })
  assert.equal(lastLine, '2 passed, 1 failed')
  assert.match(output, /✖ a suite › breaks \(test\/bad\.test\.ts:\d+\)\n {2}Error: of brass/)
  assert.equal(status, 1)
})

test('a skipped test is listed by name with its reason', (t) => {
  const { status, output, lastLine } = runTests(t, {
    'x.test.ts': `test('here', () => {}); test('there', { skip: 'needs a moon' }, () => {})
      test('late', (t) => t.skip('found no star'))`,
  })
  assert.equal(lastLine, '1 passed, 0 failed, 2 skipped')
  assert.match(output, /- there: needs a moon \(test\/x\.test\.ts:\d+\)/)
  assert.match(output, /- late: found no star/)
  assert.equal(status, 0)
})

test('a file that does not load is a failure that shows why', (t) => {
  const { status, output, lastLine } = runTests(t, {
    'x.test.ts': `throw new Error('no such part')`,
  })
  assert.equal(lastLine, '0 passed, 1 failed')
  assert.match(output, /no such part/)
  assert.equal(status, 1)
})

test('an error after the end of a test is a failure that shows why', (t) => {
  const { status, output, lastLine } = runTests(t, {
    'x.test.ts': `test('ends', () => { setImmediate(() => { throw new Error('too late') }) })
      test('waits', () => new Promise((resolve) => setTimeout(resolve, 50)))`,
  })
  assert.equal(lastLine, '2 passed, 1 failed')
  assert.match(output, /generated asynchronous activity after the test[\s\S]*too late/)
  assert.equal(status, 1)
})

test('a file whose process does not end is stopped and named', (t) => {
  const { status, output, lastLine } = runTests(
    t,
    { 'x.test.ts': `test('leaks', () => { setInterval(() => {}, 1000) })` },
    '--file-timeout=2',
  )
  assert.equal(lastLine, '1 passed, 1 failed')
  assert.match(output, /✖ test\/x\.test\.ts .*\n.*was left open/)
  assert.equal(status, 1)
})

test('no test at all is a failure', (t) => {
  const { status, lastLine } = runTests(t, { 'x.test.ts': '' })
  assert.equal(lastLine, '0 passed, 0 failed')
  assert.equal(status, 1)
})

test('a pattern chooses files', (t) => {
  const { lastLine } = runTests(
    t,
    { 'one.test.ts': `test('one', () => {})`, 'two.test.ts': `test('two', () => {})` },
    'test/one',
  )
  assert.equal(lastLine, '1 passed, 0 failed')
})

test('a name chooses tests', (t) => {
  const { lastLine } = runTests(
    t,
    {
      'x.test.ts': `test('a client leaves', () => {}); test('breaks', () => { throw new Error() })`,
    },
    '--name',
    'client leaves',
  )
  assert.equal(lastLine, '1 passed, 0 failed')
})

function runTests(t: TestContext, files: Record<string, string>, ...args: string[]) {
  const root = mkdtempSync(join(tmpdir(), 'sluice-run-'))
  t.after(() => rmSync(root, { recursive: true }))
  mkdirSync(join(root, 'test'))
  for (const [name, code] of Object.entries(files)) {
    const text = `import { describe, it, test } from 'node:test'\n${code}\n`
    writeFileSync(join(root, 'test', name), text)
  }
  const script = join(import.meta.dirname, 'run.ts')
  // The variable by which node's runner knows its own children; with it the inner run would do nothing.
  const { NODE_TEST_CONTEXT: _, ...env } = process.env
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [script, '--root', root, ...args],
    { env: { ...env, NO_COLOR: '1', FORCE_COLOR: undefined }, encoding: 'utf8' },
  )
  const output = stdout + stderr
  return { status, output, lastLine: stdout.trimEnd().split('\n').at(-1) }
}
