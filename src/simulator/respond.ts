import type { ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { buffers, composed } from './compose.ts'
import { breakOff, deliver, deliverWire } from './deliver.ts'
import type { Watch } from './receive.ts'
import type { ReceivedRequest, Reply } from './reply.ts'

/** Replies to a request as asked, from the first delay to the last byte. */
export async function respond(
  request: ReceivedRequest,
  response: ServerResponse,
  { reply, salt, watch }: { reply: Reply; salt: string; watch: Watch },
): Promise<void> {
  const { wait = 0, stall, cut, how, wire } = reply
  if (wait > 0) await sleep(wait, undefined, { signal: watch.signal })
  if (stall === true) return
  if (cut === true) {
    watch.ends('cut')
    return breakOff(response, how)
  }
  if (wire !== undefined) return deliverWire(response, buffers(wire), reply, watch)
  // A list of headers is all that there is to be.
  if (Array.isArray(reply.headers)) response.sendDate = false
  return deliver(response, composed(request, reply, salt), reply, watch)
}
