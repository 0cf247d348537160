import { parentPort } from 'node:worker_threads'
import { formats } from './formats/formats.ts'
import type { Job, ReplyRead, ReplyToRead } from './off-thread.ts'
import { readRequest } from './read-request.ts'

parentPort?.on('message', (job: Job) => {
  const answer = job.kind === 'reply' ? readReply(job) : readRequest(job)
  parentPort?.postMessage({ id: job.id, answer })
})

function readReply({ format, bytes, status, round: number }: ReplyToRead): ReplyRead {
  const round = formats[format].createRound({ round: number, streaming: false, status })
  const data = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8')
  const events = [...round.read({ event: '', data, bytes }), ...round.finish()]
  return { events, verdict: round.verdict(), origin: round.origin }
}
