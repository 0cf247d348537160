import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'

test('errors that nothing caught are counted and logged, and the process lives', () => {
  // In a process of its own: the test runner takes such errors for its tests'.
  const script = `
    import { Subject } from 'rxjs'
    import { Diagnostics } from '${new URL('../../src/core/diagnostics.ts', import.meta.url)}'
    import { watchProcessFaults } from '${new URL('../../src/server/process-faults.ts', import.meta.url)}'
    const lines = []
    const diagnostics = new Diagnostics((level, message, fields) => lines.push(fields.error.message))
    watchProcessFaults(diagnostics)
    Promise.reject(new Error('forgotten'))
    const subject = new Subject()
    subject.subscribe(() => { throw new Error('thrown in a handler') })
    subject.next()
    setTimeout(() => {
      const total = (source) => diagnostics.total('unhandled_errors', { source })
      console.log(JSON.stringify({ lines: lines.sort(), counts: [total('promise'), total('rxjs')] }))
    }, 50)`
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    cwd: new URL('../..', import.meta.url),
    encoding: 'utf8',
  })
  assert.equal(stderr, '')
  assert.deepEqual(JSON.parse(stdout), {
    lines: ['forgotten', 'thrown in a handler'],
    counts: [1, 1],
  })
})
