import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Log } from '../src/core/diagnostics.ts'
import { createGateway, type Plugin } from '../src/index.ts'
import { journaled } from '../src/plugins/journal.ts'
import { mongoRecorder } from '../src/plugins/mongo-recorder.ts'
import { newFolder } from './plugins/journal/journals.ts'

test('a plugin counts and logs with the gateway, and says what is wrong', async () => {
  const plugin: Plugin = {
    name: 'by-itself',
    open: async (context) => {
      context?.diagnostics.count('plugin_errors', { plugin: 'by-itself' })
    },
    faults: () => ['one thing is wrong'],
  }
  const broken: Plugin = {
    name: 'broken',
    faults: () => {
      throw new Error('what is wrong?')
    },
  }
  const gateway = createGateway({ providers: [], plugins: [plugin, broken], initiator: () => 'a' })
  await gateway.open()
  assert.equal(gateway.diagnostics.total('plugin_errors', { plugin: 'by-itself' }), 1)
  assert.equal(gateway.recording, true)
  assert.deepEqual(gateway.faults(), [
    'one thing is wrong',
    "plugin broken can't say how it is: what is wrong?",
  ])
  await gateway.close()
})

test('a Mongo store without a journal warns of what it can lose, once; one behind a journal does not', async () => {
  const warnings = async (bare: boolean) => {
    const lines: string[] = []
    const log: Log = (level, message) => {
      if (level === 'warn') lines.push(message)
    }
    // Nobody listens there.
    const store = mongoRecorder({ url: 'mongodb://127.0.0.1:9/?serverSelectionTimeoutMS=50' })
    const plugins = [bare ? store : journaled(store, { dir: newFolder() })]
    const gateway = createGateway({ providers: [], plugins, initiator: () => 'a', log })
    await gateway.open()
    await gateway.close()
    return lines.filter((line) => line.includes('has no journal'))
  }
  assert.equal((await warnings(true)).length, 1)
  assert.deepEqual(await warnings(false), [])
})
