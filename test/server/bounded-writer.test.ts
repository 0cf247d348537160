import assert from 'node:assert/strict'
import { PassThrough, Writable } from 'node:stream'
import { test } from 'node:test'
import { boundedWriter, flushed } from '../../src/server/bounded-writer.ts'

test('a target that takes nothing costs lines, not memory', () => {
  const stalled = new Writable({ write() {} })
  const reasons: string[] = []
  const writer = boundedWriter(stalled, { limit: 1000, onDrop: (reason) => reasons.push(reason) })
  for (let i = 0; i < 100; i++) writer.write('x'.repeat(100))
  assert.ok(stalled.writableLength <= 1000)
  assert.equal(reasons.length, 90)
  assert.equal(writer.writableLength, 0)
})

test('a gap is told where it was, once there is room again', async () => {
  const seen: string[] = []
  let release = () => {}
  const target = new Writable({
    write(chunk, _encoding, done) {
      seen.push(String(chunk))
      release = done
    },
  })
  const writer = boundedWriter(target, { limit: 60 })
  for (let i = 0; i < 10; i++) writer.write('twenty characters..\n')
  // Three fit; each is let go by hand.
  for (let i = 0; i < 3; i++) {
    release()
    await new Promise(setImmediate)
  }
  writer.write('after\n')
  release()
  await new Promise(setImmediate)
  assert.deepEqual(seen.slice(3), ['(7 lines left out: the log could not be written)\n', 'after\n'])
})

test('a target that breaks, or throws as a file on a full disk does, ends nothing', () => {
  const reasons: string[] = []
  const onDrop = (reason: string) => reasons.push(reason)
  const broken = new PassThrough()
  boundedWriter(broken, { onDrop })
  broken.emit('error', Object.assign(new Error('gone'), { code: 'EPIPE' }))
  const full = new PassThrough()
  full.write = () => {
    throw Object.assign(new Error('full'), { code: 'ENOSPC' })
  }
  boundedWriter(full, { onDrop }).write('line')
  assert.deepEqual(reasons, ['EPIPE', 'ENOSPC'])
})

test('flushing waits no longer than its patience', async () => {
  const stalled = new Writable({ write() {} })
  stalled.write('x')
  await flushed(stalled, 10)
  await flushed(new PassThrough())
})
