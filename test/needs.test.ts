import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { test } from 'node:test'

const project = resolve(import.meta.dirname, '..')
const read = (path: string) => readFileSync(join(project, path), 'utf8')

test('what tests need is demanded by .ci/run and told in docs/testing.md', () => {
  const [, union = ''] = /export type Need =([^/]*)/.exec(read('test/support/needs.ts')) ?? []
  const needs = [...union.matchAll(/'(\w+)'/g)].map(([, name = '']) => name)
  assert.ok(needs.length > 5)
  const demanded = [...read('.ci/run').matchAll(/^need (\w+)$/gm)].map(([, name]) => name)
  assert.deepEqual(demanded.sort(), needs.toSorted())
  for (const name of needs)
    assert.match(read('docs/testing.md'), new RegExp(`^\\|.*\`${name}\``, 'm'))
})
