import { Diagnostics } from '../../../src/core/diagnostics.ts'
import { interceptionId } from '../../../src/core/ids.ts'
import { journaled } from '../../../src/plugins/journal.ts'
import { sqliteRecorder } from '../../../src/plugins/sqlite-recorder.ts'
import { end, start, tool } from '../../support/stored-records.ts'
import { moodyStore } from './moody-store.ts'

/**
 * A process with a journal, for tests that kill it: writes interceptions without end, each id printed when it
 * is committed; into an SQLite store, or with `away` into one that takes nothing.
 */
const [dir = '', store = ''] = process.argv.slice(2)
const away = moodyStore()
away.mood = 'away'
const recorder = store === 'away' ? away : sqliteRecorder({ path: store })
const journal = journaled(recorder, { dir })
await journal.open({ diagnostics: new Diagnostics(() => {}) })
for (;;) {
  const id = interceptionId()
  await journal.record([start(id), tool(id, 1, 'Bash'), end(id)])
  // Nothing waits in a buffer when it is killed.
  process.stdout.write(`${id}\n`)
}
