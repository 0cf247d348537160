import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pagesOf } from '../../src/cli/pages-of.ts'

interface Query {
  readonly limit: number
  readonly after?: string
}

async function read(count: number, text: string, limit: number, all: boolean) {
  const queries: Query[] = []
  const ids: string[] = []
  const rows = pagesOf<Query, { id: string; tools: object[] }>(
    { limit },
    all,
    async (query: Query) => {
      queries.push(query)
      const from = query.after === undefined ? 0 : Number(query.after) + 1
      return Array.from({ length: Math.min(query.limit, count - from) }, (_, index) => ({
        id: String(from + index),
        tools: [{ input: text }],
      }))
    },
  )
  for await (const { id } of rows) ids.push(id)
  assert.deepEqual(
    ids,
    ids.map((_, index) => String(index)),
  )
  return { count: ids.length, limits: queries.map(({ limit }) => limit) }
}

test('small rows are read in larger and larger pages, as many as were asked for', async () => {
  assert.deepEqual(await read(5000, 'x', 1000, false), {
    count: 1000,
    limits: [100, 200, 400, 300],
  })
  assert.deepEqual(await read(5000, 'x', 30, false), { count: 30, limits: [30] })
  assert.deepEqual(await read(20, 'x', 1000, false), { count: 20, limits: [100] })
  const { count, limits } = await read(3000, 'x', 1000, true)
  assert.equal(count, 3000)
  assert.equal(Math.max(...limits), 1000)
})

test('large rows are read a few at a time', async () => {
  const { count, limits } = await read(130, 'x'.repeat(1024 ** 2), 1000, false)
  assert.equal(count, 130)
  assert.ok(
    limits.slice(1).every((limit) => limit <= 16),
    limits.join(),
  )
})
