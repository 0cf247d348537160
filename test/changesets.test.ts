import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { cpSync, globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { test } from 'node:test'

const project = resolve(import.meta.dirname, '..')

test('what the next release changes can become its entry in the changelog', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-changesets-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  for (const name of ['package.json', 'CHANGELOG.md', '.changeset'])
    cpSync(join(project, name), join(folder, name), { recursive: true })
  const told = globSync('.changeset/*.md', { cwd: folder }).filter((name) => !/README/.test(name))
  const command = join(project, 'node_modules/@changesets/cli/bin.js')
  const run = spawnSync(process.execPath, [command, 'version'], { cwd: folder, encoding: 'utf8' })
  assert.equal(run.status, 0, run.stdout + run.stderr)
  const entries = readFileSync(join(folder, 'CHANGELOG.md'), 'utf8').match(/^- /gm) ?? []
  assert.ok(entries.length >= told.length, `${entries.length} entries of ${told.length} files`)
})
