import assert from 'node:assert/strict'
import { test } from 'node:test'
import { interceptionId } from '../../src/core/ids.ts'
import { memoryRecorder } from '../../src/plugins/memory-recorder.ts'
import { end, start } from '../support/stored-records.ts'
import { recorderContract } from './recorder-contract.ts'
import { storeContract } from './store-contract.ts'

recorderContract({ name: 'the memory recorder', create: () => memoryRecorder() })
storeContract({ name: 'the memory recorder', create: () => memoryRecorder(), histories: 300 })

test('past its bound the memory recorder forgets the oldest that does not run', async () => {
  const recorder = memoryRecorder({ maxInterceptions: 2 })
  const running = interceptionId()
  const ended = Array.from({ length: 4 }, () => interceptionId())
  await recorder.record([start(running, {}, 0)])
  for (const [index, id] of ended.entries())
    await recorder.record([start(id, {}, index + 1), end(id)])
  const { results } = await recorder.interceptions({ running: true })
  assert.deepEqual(
    results.map(({ id }) => id),
    [ended.at(-1), running],
  )
})
