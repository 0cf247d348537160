import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readListQuery } from '../../src/server/list-query.ts'

test('a limit of 0, none or an empty one is 100', () => {
  for (const parameters of [{}, { limit: '0' }, { limit: '' }])
    assert.deepEqual(readListQuery(parameters, 'me-id'), { query: { limit: 100, offset: 0 } })
})

test('limit, offset and initiator are taken; "me" is who asks', () => {
  assert.deepEqual(readListQuery({ limit: '1000', offset: '7', initiator: 'me' }, 'me-id'), {
    query: { limit: 1000, offset: 7, initiator: 'me-id' },
  })
})

test('annotations are asked for as they are recorded: trimmed, cut, without credentials', () => {
  const parameters = {
    repo: ' https://me:secret@git.example/a/b ',
    branch: 'é'.repeat(300),
    issue: '',
  }
  assert.deepEqual(readListQuery(parameters, 'me-id'), {
    query: {
      limit: 100,
      offset: 0,
      annotations: { repo: 'https://…@git.example/a/b', branch: 'é'.repeat(256) },
    },
  })
})

test('an annotation that is blank or given twice is a bad parameter', () => {
  const read = readListQuery({ repo: ['a', 'b'], branch: ' ', issue: '4' }, 'me-id')
  assert.ok('error' in read)
  assert.deepEqual(read.error.validations, [
    { field: 'repo', detail: 'Query param "repo" must be given once' },
    { field: 'branch', detail: 'Query param "branch" must not be blank' },
  ])
})

test('a limit over 1000 has its own message', () => {
  assert.deepEqual(readListQuery({ limit: '1001' }, 'me-id'), {
    error: {
      message: 'Invalid pagination limit value.',
      detail: 'Pagination limit must be in range (0, 1000]',
    },
  })
})

test('all bad parameters are told in one answer, and a filter that would be ignored is one', () => {
  const read = readListQuery(
    { limit: '-1', offset: '4294967296', initiator: ['a', 'b'], model: 'gpt' },
    'me-id',
  )
  assert.ok('error' in read)
  assert.equal(read.error.message, 'Query parameters have invalid values.')
  assert.deepEqual(read.error.validations?.map(({ field }) => field).sort(), [
    'initiator',
    'limit',
    'model',
    'offset',
  ])
})
