import { deepEqual, equal, ok } from 'node:assert/strict'
import { EventEmitter, once } from 'node:events'
import { test } from 'node:test'
import { DiagLogLevel, diag } from '@opentelemetry/api'
import { resources } from '@opentelemetry/sdk-node'
import { type Batch, Batches, type BatchesOptions } from '../../../src/server/otlp/batches.ts'

interface Item {
  readonly resource: resources.Resource
  readonly instrumentationScope: { readonly name: string }
  readonly text: string
}

const resource = resources.resourceFromAttributes({})
const instrumentationScope = { name: 'test' }

test('a full batch leaves at once, the next one when it has arrived', async () => {
  const { batches, sent, add } = collector({ maxExportBatchSize: 2, scheduledDelayMillis: 60_000 })
  add('a')
  equal(sent.length, 0)
  add('b', 'c', 'd', 'e')
  deepEqual(sent.map(textOf), ['ab'])
  sent[0]?.done({ code: 0 })
  await new Promise((resolve) => setImmediate(resolve))
  deepEqual(sent.map(textOf), ['ab', 'cd'])
  sent[1]?.done({ code: 0 })
  const flushed = batches.flush()
  await new Promise((resolve) => setImmediate(resolve))
  deepEqual(sent.map(textOf), ['ab', 'cd', 'e'])
  sent[2]?.done({ code: 0 })
  await flushed
})

test('what is less leaves after the delay, and what is large before there are many', async () => {
  const { sent, add, arrived } = collector({ scheduledDelayMillis: 1 })
  add('a')
  await once(arrived, 'batch')
  deepEqual(sent.map(textOf), ['a'])
  sent[0]?.done({ code: 0 })
  await new Promise((resolve) => setImmediate(resolve))
  add('x'.repeat(1024 ** 2))
  equal(sent.length, 2)
})

test('past the bound items are dropped, and it is told how many', async () => {
  const told = warnings()
  const { batches, sent, add } = collector({ maxExportBatchSize: 2, maxQueueSize: 4 })
  // The first batch is on its way and waits no more.
  add('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i')
  sent[0]?.done({ code: 0 })
  await new Promise((resolve) => setImmediate(resolve))
  add('j')
  deepEqual(told, ['Dropped 3 items because maxQueueSize reached'])
  const flushed = batches.flush()
  sent[1]?.done({ code: 0 })
  await new Promise((resolve) => setImmediate(resolve))
  for (const { done } of sent.slice(2)) done({ code: 0 })
  await flushed
  deepEqual(sent.map(textOf), ['ab', 'cd', 'ef', 'j'])
  diag.disable()
})

test('no more waits than 16 MiB, however few the items are', async () => {
  const { batches, sent, add } = collector({})
  for (let count = 0; count < 40; count++) add('x'.repeat(1024 ** 2))
  equal(sent.length, 1)
  const flushed = batches.flush()
  while (sent.some(({ isDone }) => !isDone())) {
    for (const { done } of sent) done({ code: 0 })
    await new Promise((resolve) => setImmediate(resolve))
  }
  await flushed
  ok(sent.length <= 18, `${sent.length} batches of 1 MiB`)
})

test('an export that fails or never ends is told, and the next one goes', async () => {
  const told = warnings()
  const { sent, add, arrived } = collector({ maxExportBatchSize: 1, exportTimeoutMillis: 1 })
  add('a', 'b', 'c')
  sent[0]?.done({ code: 1, error: new Error('it was refused') })
  await once(arrived, 'batch')
  await once(arrived, 'batch')
  deepEqual(sent.map(textOf), ['a', 'b', 'c'])
  ok(told.some((line) => line.includes('it was refused')))
  ok(told.some((line) => line.includes('Timeout')))
  diag.disable()
})

test('the end exports what waits and takes nothing more', async () => {
  const { batches, sent, add, exporter } = collector({})
  add('a')
  const ended = batches.end()
  add('b')
  await new Promise((resolve) => setImmediate(resolve))
  equal(exporter.ended, false)
  sent[0]?.done({ code: 0 })
  await ended
  equal(exporter.ended, true)
  deepEqual(sent.map(textOf), ['a'])
})

interface Sent {
  readonly batch: Batch
  done(result: { code: number; error?: Error }): void
  isDone(): boolean
}

/** Batches whose exports the test ends. */
function collector(options: Partial<BatchesOptions<Item>>) {
  const sent: Sent[] = []
  const arrived = new EventEmitter()
  const exporter = {
    ended: false,
    export: (batch: Batch, ended: (result: { code: number; error?: Error }) => void) => {
      let isDone = false
      const done = (result: { code: number; error?: Error }) => {
        isDone = true
        ended(result)
      }
      sent.push({ batch, done, isDone: () => isDone })
      arrived.emit('batch')
    },
    shutdown: async () => {
      exporter.ended = true
    },
  }
  const batches = new Batches<Item>({
    name: 'items',
    write: (wire, { text }) => wire.append(Buffer.from(text)),
    exporter,
    ...options,
  })
  const add = (...texts: string[]) => {
    for (const text of texts) batches.add({ resource, instrumentationScope, text })
  }
  return { batches, sent, add, arrived, exporter }
}

function textOf({ batch }: Sent): string {
  return batch.groups.map(({ items }) => Buffer.from(items).toString()).join('|')
}

/** What the SDK's own log is told. */
function warnings(): string[] {
  const told: string[] = []
  const tell = (...parts: unknown[]) => void told.push(parts.join(' '))
  const logger = { error: tell, warn: tell, info: tell, debug: tell, verbose: tell }
  diag.setLogger(logger, { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true })
  return told
}
