import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { endId } from '../src/core/ids.ts'
import type { Recorder, StoredInterception } from '../src/core/recorder.ts'
import { sqliteRecorder } from '../src/plugins/sqlite-recorder.ts'
import { fakeUpstream } from '../src/simulator/server.ts'
import { startGateway } from './support/gateway-process.ts'
import { routes } from './support/questions.ts'
import { openCall } from './support/raw-client.ts'
import { end } from './support/stored-records.ts'

const usage = { total: 900, cacheRead: 500, cacheWrite: 100, output: 77, reasoning: 0 }

test('of a gateway that is killed amid a stream all that was committed stays, and it ends as aborted', async (t) => {
  const upstream = await fakeUpstream({ reply: { stall: 30, answer: { usage } } })
  t.after(() => upstream.close())
  const gateway = await startGateway(['--anthropic-base-url', upstream.url])
  t.after(() => gateway.stop('SIGKILL'))
  const { port, host } = new URL(gateway.url)
  const { path, ask } = routes.messages
  const call = openCall(Number(port), { path, host, body: { ...ask, stream: true } })
  const store = sqliteRecorder({ path: join(gateway.folder, 'sluice-data', 'sluice.db') })
  t.after(() => store.close())

  const open = await stored(store, ({ modelThoughts, tokenUsages, toolUsages }) =>
    [modelThoughts, tokenUsages, toolUsages].every(({ length }) => length > 0),
  )
  assert.equal(open.end, null)
  const gone = call.answer
  await gateway.stop('SIGKILL')
  await gone

  await store.close()
  await store.open()
  const { id, end: reaped, ...rest } = await stored(store, (each) => each.end !== null)
  assert.deepEqual(
    [reaped?.outcome, reaped?.observed, reaped?.reaped],
    ['aborted', 'partial', true],
  )
  const { end: _, ...before } = open
  assert.deepEqual({ id, ...rest }, before, 'nothing that was there is lost')
  const [tokens] = rest.tokenUsages
  assert.deepEqual(
    [tokens?.inputTokens, tokens?.cacheReadInputTokens, tokens?.cacheWriteInputTokens],
    [300, 500, 100],
  )
  assert.equal(tokens?.costNanoUsd, null, 'the price of figures that may have changed is unknown')
  assert.equal(rest.userPrompts[0]?.prompt, 'What is the weather in Oslo?')

  // The owner's own end may still come, from a journal.
  await store.record([{ ...end(id), id: endId(id) }])
  assert.equal((await store.interception(id))?.end?.outcome, 'completed')
})

/** The one interception there is, once it is as it should be. */
async function stored(
  store: Recorder,
  test: (interception: StoredInterception) => boolean,
): Promise<StoredInterception> {
  for (;;) {
    const [only] = (await store.interceptions({ running: true })).results
    if (only && test(only)) return only
    await delay(20)
  }
}
