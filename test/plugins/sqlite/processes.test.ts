import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { interceptionId } from '../../../src/core/ids.ts'
import { processId } from '../../../src/core/process-id.ts'
import { sqliteRecorder } from '../../../src/plugins/sqlite-recorder.ts'
import { end, start, wholeInterception } from '../../support/stored-records.ts'
import { newPath, withRecorder } from './stores.ts'

test('kill -9 loses nothing that was recorded, and what was open ends as aborted', async (t) => {
  const path = newPath()
  const { child, open } = await writing(path, 20)
  t.after(() => child.kill('SIGKILL'))
  const own = interceptionId()
  await withRecorder(path, async (recorder) => {
    await recorder.record([start(own, { processId })])
    assert.equal((await recorder.interception(open))?.end, null, 'its process lives')
  })

  await kill(child)
  await withRecorder(path, async (recorder) => {
    assert.equal((await recorder.interceptions()).count, 21)
    const stored = await recorder.interception(open)
    assert.equal(stored?.toolUsages.length, 1)
    assert.equal(stored?.end?.outcome, 'aborted')
    assert.equal(stored?.end?.reaped, true)
    assert.equal(stored?.end?.durationMs, 1500)
    assert.equal((await recorder.interception(own))?.end, null, 'our own process lives')
    assert.equal(readdirSync(`${path}.processes`).length, 1, 'the dead one’s mark is gone')

    await recorder.record([end(open)])
    assert.equal((await recorder.interception(open))?.end?.outcome, 'completed')
  })
})

test('a process lives as long as any of its recorders does', async () => {
  const path = newPath()
  const [one, two] = [sqliteRecorder({ path }), sqliteRecorder({ path })]
  await Promise.all([one.open(), two.open()])
  const id = interceptionId()
  await one.record([start(id, { processId })])
  await one.close()
  const other = sqliteRecorder({ path, processId: 'another' })
  await other.open()
  assert.equal((await other.interception(id))?.end, null)
  await two.close()
  await other.close()
  await other.open()
  assert.equal((await other.interception(id))?.end?.outcome, 'aborted')
  await other.close()
})

test('several processes make and write one file at once', async (t) => {
  const path = newPath()
  mkdirSync(dirname(path))
  const processes = await Promise.all([writing(path, 100), writing(path, 100), writing(path, 100)])
  t.after(() => processes.map(({ child }) => child.kill('SIGKILL')))
  await withRecorder(path, async (recorder) => {
    assert.equal((await recorder.interceptions({ running: true })).count, 303)
    assert.equal((await recorder.interceptions()).count, 300)
  })
  await Promise.all(processes.map(({ child }) => kill(child)))
})

test('a batch waits while another process holds the lock, and no longer', async () => {
  const path = newPath()
  await withRecorder(path, async (recorder) => {
    const other = new DatabaseSync(path)
    other.exec('BEGIN IMMEDIATE')
    const written = recorder.record(wholeInterception())
    const first = await Promise.race([written, delay(1000, 'the lock')])
    assert.equal(first, 'the lock')
    other.exec('COMMIT')
    const free = performance.now()
    await written
    // SQLite's own wait would ask again after up to 100 ms.
    assert.ok(performance.now() - free < 60, `${performance.now() - free} ms`)
    other.close()
  })
})

test('a process that forgets to close its store still ends', async () => {
  const script = `
    import { sqliteRecorder } from ${JSON.stringify(new URL('../../../src/plugins/sqlite-recorder.ts', import.meta.url).href)}
    const recorder = sqliteRecorder({ path: ${JSON.stringify(newPath())} })
    await recorder.open()
    await recorder.interceptions()`
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: 'inherit' })
  assert.deepEqual(await once(child, 'exit'), [0, null])
})

/** Starts a process that writes; resolves when it has. */
async function writing(
  path: string,
  count: number,
): Promise<{ child: ChildProcess; open: string }> {
  const script = fileURLToPath(new URL('./writing-process.ts', import.meta.url))
  const child = spawn(process.execPath, [script, path, String(count)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const died = once(child, 'exit').then(([code]) => {
    throw new Error(`the process that writes ended with ${code}`)
  })
  const [line] = await Promise.race([once(child.stdout, 'data'), died])
  died.catch(() => {})
  return { child, open: String(line).trim() }
}

async function kill(child: ChildProcess): Promise<void> {
  const gone = once(child, 'exit')
  child.kill('SIGKILL')
  await gone
}
