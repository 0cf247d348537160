import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type FakeUpstream, fakeUpstream } from '../../src/simulator/server.ts'
import { type GatewayProcess, startGateway } from '../support/gateway-process.ts'
import { fill, inStore, many, sluice, storeFolder } from '../support/store-commands.ts'

let upstream: FakeUpstream
before(async () => {
  upstream = await fakeUpstream()
})
after(() => upstream.close())

test('a gateway forgets what is older than its retention, says so and counts it', async () => {
  const { folder, url } = storeFolder()
  await inStore(url, async (store) => {
    await fill(store, many(300, { startedAt: daysAgo(61) }))
    await fill(store, many(20, { startedAt: daysAgo(40), text: 'words' }))
    await fill(store, many(10, { startedAt: daysAgo(1), text: 'words' }))
  })
  const gateway = await startGateway(['--retention-content', '30d', '--log-format', 'json'], {
    folder,
  })
  const line = await gateway.line(/pruned what was older/)
  const { interceptions, contents } = JSON.parse(line) as Record<string, unknown>
  assert.deepEqual([interceptions, contents], [300, 20])
  const metrics = await (await fetch(`${gateway.url}/metrics`)).text()
  assert.match(metrics, /^sluice_pruned_total\{kind="interception"\} 300$/m)
  assert.match(metrics, /^sluice_pruned_total\{kind="content"\} 20$/m)
  await gateway.stop()
  const text = await sluice(['export'], { folder })
  assert.equal(text.split('\n').length - 1, 30)
  assert.equal(text.split('"prompt":"words"').length - 1, 10)
})

test('of several workers one prunes', async () => {
  const { folder, url } = storeFolder()
  await inStore(url, (store) => fill(store, many(100, { startedAt: daysAgo(61) })))
  const gateway = await startGateway(['--workers', '2'], { folder })
  await gateway.line(/pruned what was older/)
  assert.equal(await gateway.stop(), 0)
  const lines = gateway.output().stderr.split('\n')
  assert.equal(lines.filter((it) => it.includes('pruned what was older')).length, 1)
})

test('no request fails while the store is pruned, and each is recorded', async () => {
  const { folder, url } = storeFolder()
  await inStore(url, (store) => fill(store, many(3000, { startedAt: daysAgo(59) })))
  const gateway = await startGateway(['--openai-base-url', upstream.url], { folder })
  let pruning = true
  const traffic = Array.from({ length: 8 }, async () => {
    const ids: string[] = []
    while (pruning || ids.length < 5) ids.push(await ask(gateway))
    return ids
  })
  for (const age of ['58d', '10d', '1d', '1h'])
    await sluice(['prune', '--older-than', age], { folder })
  pruning = false
  const ids = (await Promise.all(traffic)).flat()
  assert.equal(await gateway.stop(), 0)
  assert.ok(!/unrecorded|error/i.test(gateway.output().stderr), gateway.output().stderr)
  const kept = (await sluice(['export'], { folder })).trimEnd().split('\n')
  assert.deepEqual(kept.map((it) => (JSON.parse(it) as { id: string }).id).sort(), ids.sort())
  assert.match(
    await sluice(['verify'], { folder }),
    /\n0 interceptions not ended, 0 interceptions without/,
  )
})

function daysAgo(days: number): string {
  return new Date(Date.now() - days * 86_400_000).toISOString()
}

async function ask({ url }: GatewayProcess): Promise<string> {
  const reply = await fetch(`${url}/openai/v1/responses`, {
    method: 'POST',
    headers: { authorization: 'Bearer sk', 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'gpt-5.4', input: 'Hi', stream: true }),
  })
  assert.equal(reply.status, 200)
  assert.match(await reply.text(), /event: response\.completed/)
  return reply.headers.get('x-sluice-interception-id') as string
}
