import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { seriesOf } from '../support/metrics-page.ts'
import { served } from '../support/served.ts'

const ask = (text: string) => ({
  model: 'claude-sonnet-4-5',
  max_tokens: 100,
  stream: true,
  messages: [{ role: 'user', content: text }],
})

test('docs/metrics.md lists exactly what /metrics tells, with its labels', async (t) => {
  const sluice = await served()
  t.after(() => sluice.close())
  const { text } = await sluice.send('/metrics')
  const told = [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(
    ([, name, type]) => `${name} ${type}`,
  )
  const page = readFileSync(new URL('../../docs/metrics.md', import.meta.url), 'utf8')
  const rows = [...page.matchAll(/^\| `(\w+)(?:\{([\w,]+)\})?` \| (counter|gauge|histogram) \|/gm)]
  // These are told by other set-ups only: workers.
  const elsewhere = ['sluice_worker_deaths_total counter']
  const listed = rows.map(([, name, , type]) => `${name} ${type}`)
  assert.deepEqual(listed.filter((each) => !elsewhere.includes(each)).sort(), told.sort())
  for (const each of elsewhere) assert.ok(listed.includes(each), each)

  // Labels of those that have series by now, and of the others by what makes them.
  await sluice.send('/anthropic/v1/messages', { body: ask('hello') })
  await sluice.send('/anthropic/v1/models')
  await sluice.send('/anthropic/nothing')
  const series = [...seriesOf((await sluice.send('/metrics')).text).keys()]
  for (const [, name = '', labels = ''] of rows) {
    const found = series.find((each) =>
      new RegExp(`^${name}(_bucket|_sum|_count)?(\\{|$)`).test(each),
    )
    if (!found) continue
    const names = [...found.matchAll(/(\w+)="/g)].map(([, label]) => label)
    assert.deepEqual(
      names.filter((label) => label !== 'le'),
      labels === '' ? [] : labels.split(','),
      name,
    )
  }
})

test('routes that are passed on are counted by their pattern, whatever their paths are', async (t) => {
  const sluice = await served()
  t.after(() => sluice.close())
  for (let n = 0; n < 20; n++) await sluice.send(`/anthropic/v1/models/made-up-${n}`)
  await sluice.send('/anthropic/api/event_logging/batch', { body: {} })
  const page = seriesOf((await sluice.send('/metrics')).text)
  const passed = [...page].filter(([name]) => name.startsWith('sluice_passthrough_total'))
  assert.deepEqual(Object.fromEntries(passed), {
    'sluice_passthrough_total{provider="anthropic",route="/v1/models/*",method="GET"}': 20,
    'sluice_passthrough_total{provider="anthropic",route="/api/event_logging/*",method="POST"}': 1,
  })
})

test('the overhead is what we take: not the upstream’s time, nor a client’s that sends slowly', async (t) => {
  const sluice = await served()
  t.after(() => sluice.close())
  sluice.upstream.next({ pause: 300 })
  await sluice.send('/anthropic/v1/messages', { body: ask('slow upstream') })
  const body = new TextEncoder().encode(JSON.stringify(ask('slow client')))
  const slowly = new ReadableStream({
    async start(controller) {
      controller.enqueue(body.subarray(0, 10))
      await new Promise((resolve) => setTimeout(resolve, 1500))
      controller.enqueue(body.subarray(10))
      controller.close()
    },
  })
  const reply = await fetch(`${sluice.url}/anthropic/v1/messages`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: slowly,
    duplex: 'half',
  } as RequestInit)
  await reply.arrayBuffer()
  const page = seriesOf((await sluice.send('/metrics')).text)
  const of = (name: string) => page.get(`sluice_overhead_seconds_${name}{provider="anthropic"}`)
  assert.equal(of('count'), 2)
  assert.ok(Number(of('sum')) > 0)
  assert.ok(Number(of('sum')) < 1.4, `${of('sum')}`)
  assert.ok(Number(page.get('sluice_commit_wait_seconds_count')) >= 1)
})

test('what fails a thousand times is counted each time and logged a few times a second', async (t) => {
  const sluice = await served()
  t.after(() => sluice.running.stop())
  await sluice.upstream.close()
  const since = performance.now()
  for (let n = 0; n < 1000; n += 50) {
    const fifty = Array.from({ length: 50 }, () => sluice.send('/anthropic/v1/models'))
    for (const { status } of await Promise.all(fifty)) assert.equal(status, 502)
  }
  const seconds = Math.ceil((performance.now() - since) / 1000) + 1
  const page = seriesOf((await sluice.send('/metrics')).text)
  const name = 'sluice_passthrough_total{provider="anthropic",route="/v1/models",method="GET"}'
  assert.equal(page.get(name), 1000)
  const lines = sluice.log.filter((line) => line.includes('pass-through failed'))
  // Twenty of one text, and one that says how many were left out.
  assert.ok(lines.length >= 20 && lines.length <= seconds * 21, `${lines.length} in ${seconds} s`)
})
