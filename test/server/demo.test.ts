import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { demoProvider, startDemo } from '../../src/server/demo.ts'
import { fakeUpstream } from '../../src/simulator/server.ts'

// The simulated provider knows its routes by how they end: it can stand in for the gateway too.
const gateway = await fakeUpstream({ freshIds: true, reply: { burst: true } })
after(() => gateway.close())
const { requests, url } = gateway

test('sample traffic: several users and clients hold conversations at once, then now and then', async () => {
  const stop = new AbortController()
  const errors: unknown[] = []
  const demo = startDemo({
    url,
    signal: stop.signal,
    every: 1,
    onError: (error) => errors.push(error),
  })
  await demo.begun
  const batch = requests.length
  assert.ok(batch >= 35 && batch <= 60, `${batch} requests`)
  assert.ok(new Set(requests.map(({ headers }) => headers['x-sluice-user'])).size >= 5)
  assert.ok(new Set(requests.map(({ headers }) => headers['user-agent'])).size >= 6)
  for (const part of ['/messages', '/chat/completions', '/responses']) {
    const bodies = requests.filter(({ url }) => url.includes(part)).map(({ body }) => `${body}`)
    assert.ok(bodies.length > 5, `${bodies.length} requests for ${part}`)
    const results = /"tool_result"|"role":"tool"|"function_call_output"/
    assert.ok(
      bodies.some((body) => results.test(body)),
      `no tool result for ${part}`,
    )
  }
  const simulated = requests.flatMap(({ headers }) => headers['x-simulate'] ?? [])
  assert.equal(simulated.length, 3)

  await gateway.request(batch)
  stop.abort()
  await demo.ended
  assert.deepEqual(errors, [])
})

test('the end comes at once, also amid a reply, and a gateway that is not there ends nothing', async () => {
  const stop = new AbortController()
  const index = requests.length
  gateway.next(...Array.from({ length: 12 }, () => ({ stall: 1 })))
  const demo = startDemo({ url, signal: stop.signal })
  const request = await gateway.request(index)
  stop.abort()
  await demo.ended
  assert.equal(await request.ended, 'gone')

  const errors: unknown[] = []
  const again = new AbortController()
  const lost = startDemo({
    url: 'http://127.0.0.1:1',
    signal: again.signal,
    onError: (error) => errors.push(error),
  })
  await lost.begun
  again.abort()
  await lost.ended
  assert.ok(errors.length > 0)
})

test('the demo’s provider paces its replies, unless a request asks otherwise', async () => {
  const provider = await demoProvider()
  const ask = async (headers: Record<string, string>) => {
    const started = performance.now()
    const body = JSON.stringify({ model: 'm', max_tokens: 5, stream: true, messages: [] })
    const response = await fetch(`${provider.url}/v1/messages`, { method: 'POST', headers, body })
    await response.text()
    return performance.now() - started
  }
  const paced = await ask({})
  assert.ok(paced > 200, `${paced} ms`)
  const asked = await ask({ 'x-simulate': 'pause=0 delay=0' })
  assert.ok(asked < paced, `${asked} ms, not less than ${paced} ms`)
  await provider.close()
})
