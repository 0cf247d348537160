import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))

test('an older Node is told what it lacks, before anything else is done', () => {
  const older = `data:text/javascript,${encodeURIComponent(
    "Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '22.19.0' } })",
  )}`
  const run = spawnSync(process.execPath, ['--import', older, main, '--version'], {
    encoding: 'utf8',
  })
  assert.equal(run.stdout, '')
  assert.match(
    run.stderr,
    /^sluice: needs Node\.js 24 or newer, and this is 22\.19\.0: install .*\n$/,
  )
  assert.equal(run.status, 1)
})
