import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import type { Store } from '../../../src/core/store.ts'
import { memoryRecorder } from '../../../src/plugins/memory-recorder.ts'
import { importText } from '../../../src/server/import.ts'
import { by, startApi } from '../../support/api.ts'
import { idAt, type Plan } from '../../support/stored-records.ts'

const plans: readonly Plan[] = Array.from({ length: 230 }, (_, ms) => ({
  id: idAt(ms),
  ms,
  start: by(ms % 2 ? 'ann' : 'bob'),
  prompt: ms === 3 ? '=1+1' : `prompt ${ms}`,
  tools: ['Bash'],
  usages: [{ costNanoUsd: ms === 1 ? null : 5 }],
}))

test('as NDJSON each interception is a line, which another store takes in', async (t) => {
  const api = await startApi(plans)
  t.after(() => api.close())
  const { text, headers } = await api.get('export?initiator=bob')
  assert.equal(headers.get('content-type'), 'application/x-ndjson; charset=utf-8')
  assert.match(
    headers.get('content-disposition') ?? '',
    /^attachment; filename="sluice-[\dTZ-]+\.ndjson"$/,
  )
  assert.equal(text.trimEnd().split('\n').length, 115)
  const other = memoryRecorder()
  const onFault = (_line: number, message: string) => assert.fail(message)
  await importText({ store: other, input: Readable.from([Buffer.from(text)]), onFault })
  const [first, second] = await Promise.all(
    [api.store, other].map((store) => store.interceptions({ initiator: 'bob', limit: 1000 })),
  )
  assert.deepEqual(second, first)
})

test('as CSV each is a row with sums, an unknown price is no 0, and nothing runs as a formula', async (t) => {
  const api = await startApi([
    ...plans,
    { id: idAt(999), ms: 999, start: { ...by('ann'), client: '=HYPERLINK("x")' } },
  ])
  t.after(() => api.close())
  const { text, headers } = await api.get('export?format=csv')
  assert.match(headers.get('content-type') ?? '', /^text\/csv; charset=utf-8/)
  assert.match(headers.get('content-disposition') ?? '', /\.csv"$/)
  const [head = '', ...rows] = text.trimEnd().split('\n')
  assert.equal(rows.length, 231)
  const columns = head.split(',')
  const cell = (row: string | undefined, name: string) => row?.split(',')[columns.indexOf(name)]
  assert.deepEqual([cell(rows[0], 'cost_nano_usd'), cell(rows[0], 'unpriced')], ['5', '0'])
  assert.deepEqual([cell(rows[1], 'cost_nano_usd'), cell(rows[1], 'unpriced')], ['', '1'])
  assert.match(text, /'=HYPERLINK/)
  assert.doesNotMatch(text, /,"?=/)
})

test('of none that match there is an empty file, or a head', async (t) => {
  const api = await startApi(plans)
  t.after(() => api.close())
  assert.equal((await api.get('export?model=nothing')).text, '')
  assert.equal((await api.get('export?model=nothing&format=csv')).text.trim().split('\n').length, 1)
})

test('a reader that stalls holds up the store’s pages; one that leaves ends them', async (t) => {
  const whole = memoryRecorder()
  let pages = 0
  const store: Store = {
    ...whole,
    interceptions: (query) => {
      pages++
      return whole.interceptions(query)
    },
  }
  const text = 'x'.repeat(200_000)
  const large = Array.from({ length: 400 }, (_, ms) => ({ ms, start: by('ann'), prompt: text }))
  const api = await startApi(large, store)
  t.after(() => api.close())
  const asked = request(`${api.url}/export`, { headers: { 'x-user': 'ann' }, agent: false }).end()
  const [reply] = (await once(asked, 'response')) as [IncomingMessage]
  reply.pause()
  // 80 MB in all: what systems hold for a socket is a tenth of that.
  let last = -1
  while (last !== pages) {
    last = pages
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
  assert.ok(pages <= 4, `${pages} pages`)
  const closed = new Promise((resolve) => reply.on('error', () => {}).on('close', resolve))
  asked.destroy()
  await closed
  const { text: rest } = await api.get('export?tool=nothing')
  assert.equal(rest, '')
  assert.ok(pages <= 6, `${pages} pages`)
})
