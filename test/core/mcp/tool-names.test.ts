import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { toolFilter } from '../../../src/core/mcp/tool-filter.ts'
import { toolNames } from '../../../src/core/mcp/tool-names.ts'

test('a tool is offered under prefix, server and its own name', () => {
  assert.deepEqual(toolNames('bmcp', [{ server: 'coder', name: 'list_templates' }]), [
    'bmcp_coder_list_templates',
  ])
})

test('names are what providers take, never alike, and none depends on the order', () => {
  const part = fc.oneof(
    fc.constantFrom('a', 'a_b', 'b', 'b_c', 'c', 'ä.b', 'x'.repeat(70)),
    fc.string(),
  )
  const tools = fc.uniqueArray(fc.record({ server: part, name: part }), {
    selector: ({ server, name }) => JSON.stringify([server, name]),
  })
  fc.assert(
    fc.property(tools, (list) => {
      const names = toolNames('bmcp', list)
      for (const name of names) assert.match(name, /^[A-Za-z0-9_-]{1,64}$/)
      assert.equal(new Set(names).size, list.length)
      assert.deepEqual(toolNames('bmcp', list.toReversed()), names.toReversed())
    }),
  )
})

test('two servers whose names run into each other keep their tools apart', () => {
  const names = toolNames('bmcp', [
    { server: 'a', name: 'b_c' },
    { server: 'a_b', name: 'c' },
  ])
  assert.equal(new Set(names).size, 2)
})

const filters: readonly [string, { allow?: string | RegExp; deny?: string }, string, boolean][] = [
  ['neither list: all pass', {}, 'anything', true],
  ['an allow list lets through what matches', { allow: 'tool[12]' }, 'tool1', true],
  ['an allow list keeps out what does not match', { allow: 'tool[12]' }, 'tool3', false],
  [
    'expressions match anywhere in the name',
    { allow: '.*_file', deny: 'delete.*' },
    'list_files',
    true,
  ],
  ['a deny list alone lets the rest through', { deny: '^(db_|file_)' }, 'web_get', true],
  ['what both match is denied', { allow: '.*', deny: '.*' }, 'x', false],
  ['upper and lower case differ', { allow: '^Tool$' }, 'tool', false],
  ['an expression with a memory has none', { allow: /tool/g }, 'tool', true],
]
for (const [behaviour, choice, name, passes] of filters) {
  test(behaviour, () => {
    const accepts = toolFilter(choice)
    assert.equal(accepts(name), passes)
    assert.equal(accepts(name), passes)
  })
}
