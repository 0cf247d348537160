import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'

const read = (path: string) => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8')

test('each test that docs/peers.md names is there', () => {
  const named = [...read('docs/peers.md').matchAll(/`(test\/[\w/.-]+)`: “(.+?)”(?=<br>| \|)/g)]
  assert.ok(named.length > 45, String(named.length))
  for (const [, file = '', name = ''] of named)
    assert.ok(read(file).includes(name), `${file}: ${name}`)
})
