import { at, told } from '../../support/stored-records.ts'
import { inThreadStore } from './in-thread.ts'

/** A process that writes, replaces, prunes and erases until it is killed. */
const [path = ''] = process.argv.slice(2)
const store = inThreadStore(path)
await store.open()
console.log('ready')
const users = ['u-1', 'u-2', 'u-3']
for (let ms = 0; ; ms++) {
  const initiatorId = users[ms % 3] as string
  const session = `s-${ms % 7}`
  const records = told({
    ms,
    start: { initiatorId, initiatorUsername: initiatorId, sessionId: session },
    prompt: `alpha ${ms}`,
    tools: ['Bash', 'Read'].slice(ms % 3),
    usages: [{}],
  })
  await store.record(records.slice(0, -1))
  await store.record(records)
  if (ms % 20 === 19) await store.prune({ before: at(ms - 30), contentBefore: at(ms - 15) })
  if (ms % 50 === 49) await store.erase({ initiator: 'u-3', before: at(ms - 5) })
}
