import { interceptionId } from '../../../src/core/ids.ts'
import { processId } from '../../../src/core/process-id.ts'
import { sqliteRecorder } from '../../../src/plugins/sqlite-recorder.ts'
import { end, start, tool } from '../../support/stored-records.ts'

/**
 * A process with a store, for tests that kill it: writes COUNT whole interceptions, then one that stays
 * open, prints its id and waits.
 */
const [path = '', count = '0'] = process.argv.slice(2)
const recorder = sqliteRecorder({ path })
await recorder.open()
for (let index = 0; index < Number(count); index++) {
  const id = interceptionId()
  await recorder.record([start(id, { processId }), tool(id, 1, 'Bash'), end(id)])
}
const open = interceptionId()
await recorder.record([start(open, { processId }), tool(open, 1500, 'Read')])
console.log(open)
setInterval(() => {}, 60_000)
