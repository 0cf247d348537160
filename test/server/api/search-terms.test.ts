import assert from 'node:assert/strict'
import { test } from 'node:test'
import { searchTerms } from '../../../src/server/api/search-terms.ts'

const termsOf = (q: string, bare?: string) =>
  searchTerms(q, bare).terms.map(({ field, value }) => `${field}=${value}`)
const faultsOf = (q: string, bare?: string) =>
  searchTerms(q, bare).faults.map(({ field, detail }) => `${field}: ${detail}`)

test('terms are key:value, separated by spaces; keys in any case', () => {
  assert.deepEqual(termsOf('model:gpt-5.4  Client:Codex '), ['model=gpt-5.4', 'client=Codex'])
  assert.deepEqual(termsOf(''), [])
})

test('quotes protect spaces and colons, of a value or of a whole term', () => {
  assert.deepEqual(termsOf('client:"Claude Code" started_after:"2026-01-15T10:30:00Z"'), [
    'client=Claude Code',
    'started_after=2026-01-15T10:30:00Z',
  ])
  assert.deepEqual(termsOf('model:""'), ['model='])
})

test('words without a key are one value of what the list says, joined by spaces', () => {
  assert.deepEqual(termsOf('anna model:m berta', 'initiator'), ['model=m', 'initiator=anna berta'])
  assert.deepEqual(termsOf('"anna berta"', 'initiator'), ['initiator=anna berta'])
})

test('where the list says none they are a fault', () => {
  assert.deepEqual(faultsOf('anna model:m'), [
    'q: Query element "anna" has no key: write key:value',
  ])
})

test('a colon at an end, and a second one outside of quotes, are told with their element', () => {
  assert.deepEqual(faultsOf(':a b: c:d:e'), [
    `q: Query element ":a" cannot start or end with ':'`,
    `q: Query element "b:" cannot start or end with ':'`,
    `q: Query element "c:d:e" can only contain 1 ':'`,
  ])
})
