import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { ignoreElements, tap } from 'rxjs'
import type { Plugin } from '../../src/core/plugin.ts'
import { startGateway } from '../support/gateway.ts'
import { routes } from '../support/questions.ts'
import { rawCall } from '../support/raw-client.ts'

test('a plugin is not closed for what the garbage collector takes', async (t) => {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  // Much to look at: a collection takes some ms.
  const held = Array.from({ length: 300_000 }, (_, at) => ({ at }))
  let ends = 0
  const allocating: Plugin = {
    name: 'allocating',
    observes: ['request', 'end'],
    observe: (events$) =>
      events$.pipe(
        tap(({ type }) => {
          if (type === 'end') ends++
          const since = process.threadCpuUsage().user
          // More than any plugin may use.
          while (process.threadCpuUsage().user - since < 120_000) collect()
        }),
        ignoreElements(),
      ),
  }
  const gateway = await startGateway({ plugins: [allocating] })
  t.after(() => gateway.close())
  const { path, ask } = routes.messages
  await rawCall(gateway.port, { path, body: { ...ask, stream: true } })
  await gateway.ended(0)
  assert.deepEqual(gateway.log, [])
  assert.equal(ends, 1)
  assert.equal(held.length, 300_000)
})
