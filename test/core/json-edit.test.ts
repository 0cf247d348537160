import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { JsonEdit } from '../../src/core/json-edit.ts'

const edited = (text: string, edit: (json: JsonEdit) => void): string => {
  const json = new JsonEdit(Buffer.from(text))
  edit(json)
  return json.bytes().toString()
}

test('other bytes stay as they are: white space, numbers, escapes, order, doubled names', () => {
  const body =
    ' {\n "n" : 1.0e5,\t"s":"\\u00e9\\"}]","tools" : [ {"a":[1, 2]} ] ,"n":12345678901234567890 }\n'
  assert.equal(
    edited(body, (json) => json.insert('tools', [{ b: 1 }], 'last')),
    body.replace('} ] ', '},{"b":1} ] '),
  )
  assert.equal(
    edited(body, (json) => json.insert('tools', [{ b: 1 }], 'first')),
    body.replace('[ {"a"', '[{"b":1}, {"a"'),
  )
  assert.equal(
    edited(body, (json) => json.set('n', 2)),
    body.replace('12345678901234567890', '2'),
  )
})

test('a list that is missing, null or empty comes to be', () => {
  const insert = (json: JsonEdit) => json.insert('l', [1, 2], 'last')
  assert.equal(edited('{}', insert), '{"l":[1,2]}')
  assert.equal(edited('{ "a":1}', insert), '{"l":[1,2], "a":1}')
  assert.equal(edited('{"l": null}', insert), '{"l": [1,2]}')
  assert.equal(edited('{"l": [ ]}', insert), '{"l": [1,2 ]}')
})

test('of members of one name the last one counts, whatever way it is written', () => {
  const json = new JsonEdit(Buffer.from('{"t":1,"\\u0074":[{"x":"]"}]}'))
  assert.deepEqual(json.value('t'), [{ x: ']' }])
  assert.equal(json.value('u'), undefined)
})

test('elements of a list give way to others', () => {
  const others = new Map([
    [0, [1, 2]],
    [2, ['x']],
  ])
  assert.equal(
    edited('{"l": [ {"a":"]"} , [0], 7 ]}', (json) => json.replaceElements('l', others)),
    '{"l": [ 1,2 , [0], "x" ]}',
  )
})

test('edits mean what they say, in any JSON', () => {
  const list = fc.array(fc.jsonValue(), { maxLength: 4 })
  const spaces = fc.constantFrom(undefined, 1, '\t')
  fc.assert(
    fc.property(
      fc.dictionary(fc.string(), fc.jsonValue()),
      fc.option(list),
      list,
      fc.constantFrom('first' as const, 'last' as const),
      fc.jsonValue(),
      spaces,
      (others, present, added, place, value, space) => {
        const { list: _, other: __, ['__proto__']: ___, ...rest } = others
        const body = { ...rest, ...(present && { list: present }) }
        const result = edited(JSON.stringify(body, null, space), (json) => {
          json.insert('list', added, place)
          json.set('other', value)
        })
        const now = present ?? []
        const expected = place === 'first' ? [...added, ...now] : [...now, ...added]
        // By way of text: -0 has no JSON of its own.
        assert.deepEqual(
          JSON.parse(result),
          JSON.parse(JSON.stringify({ ...body, list: expected, other: value })),
        )
      },
    ),
    { numRuns: 1000 },
  )
})
