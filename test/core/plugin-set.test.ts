import { deepEqual, equal, match, rejects, throws } from 'node:assert/strict'
import { test } from 'node:test'
import { Diagnostics } from '../../src/core/diagnostics.ts'
import type { Plugin } from '../../src/core/plugin.ts'
import { PluginSet } from '../../src/core/plugin-set.ts'
import { until } from '../support/harm.ts'

const never = () => new Promise<void>(() => {})
const fails = async () => {
  throw new Error('made to fail')
}

function setOf(plugins: readonly Plugin[], openWait?: number) {
  const lines: string[] = []
  const diagnostics = new Diagnostics((level, message) => lines.push(`${level} ${message}`))
  const set = new PluginSet(plugins, diagnostics, openWait)
  return { set, diagnostics, lines, names: () => set.observers.map(({ name }) => name) }
}

test('a plugin that can not be opened is left out, counted, and takes part once it can', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  let tries = 0
  const open = async () => {
    if (++tries < 3) throw new Error('away')
  }
  const { set, diagnostics, lines, names } = setOf([
    { name: 'shy', open, record: () => {} },
    { name: 'fine' },
  ])
  await set.open()
  deepEqual(names(), ['fine'])
  deepEqual(set.openQueues, [])
  match(set.faults()[0] ?? '', /shy .*away/)
  equal(diagnostics.total('plugin_errors', { plugin: 'shy' }), 1)
  t.mock.timers.tick(1000)
  await turnsUntil(() => tries === 2 && lines.length === 2)
  t.mock.timers.tick(2000)
  await turnsUntil(() => tries === 3 && names().length === 2)
  deepEqual(names(), ['shy', 'fine'])
  equal(set.openQueues.length, 1)
  deepEqual(set.faults(), [])
})

test('a plugin that hangs while it opens holds up nothing, and takes part when it is open', async () => {
  let opened: () => void = () => {}
  const open = () =>
    new Promise<void>((resolve) => {
      opened = resolve
    })
  const { set, names } = setOf([{ name: 'slow', open }, { name: 'fine' }], 20)
  await set.open()
  deepEqual(names(), ['fine'])
  match(set.faults()[0] ?? '', /slow .*20 ms/)
  opened()
  await until(() => names().length === 2)
  deepEqual(set.faults(), [])
})

test('a durable plugin that can not be opened is an error, until a later call can', async () => {
  let broken = true
  let others = 0
  const store: Plugin = {
    name: 'store',
    durable: true,
    open: async () => {
      if (broken) throw new Error('disk full')
    },
  }
  const other: Plugin = { name: 'other', open: async () => void others++ }
  const { set } = setOf([store, other])
  await rejects(set.open(), /disk full/)
  await rejects(set.open(), /disk full/)
  broken = false
  await set.open()
  await set.open()
  equal(others, 1, 'what was open is not opened again')
})

test('plugins that fail or hang while they close are counted, and the others are closed', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const closed: string[] = []
  const { set, diagnostics, lines } = setOf([
    { name: 'bad', close: fails },
    { name: 'hung', close: never },
    { name: 'good', close: async () => void closed.push('good') },
  ])
  await set.open()
  const done = set.close()
  await turnsUntil(() => lines.length === 1)
  t.mock.timers.tick(5000)
  await done
  deepEqual(closed, ['good'])
  deepEqual(lines, [
    'error plugin bad could not be closed: made to fail',
    'error plugin hung could not be closed: did not close within 5 s',
  ])
  equal(diagnostics.total('plugin_errors'), 2)
})

test('two plugins of one name are refused', () => {
  throws(() => setOf([{ name: 'one' }, { name: 'one' }]), /two plugins are named "one"/)
})

/** As `until`, where the timers are the test's own. */
async function turnsUntil(look: () => boolean): Promise<void> {
  for (let turn = 0; turn < 1000 && !look(); turn++) {
    await new Promise((resolve) => setImmediate(resolve))
  }
  equal(look(), true)
}
