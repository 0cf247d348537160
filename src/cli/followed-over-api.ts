import { setTimeout as sleep } from 'node:timers/promises'
import { createParser, type EventSourceMessage } from 'eventsource-parser'
import { messageOf, SluiceError } from '../core/errors.ts'
import { isObject, parseJson } from '../core/json.ts'
import type { ApiCalls, ApiParameters } from './api-call.ts'
import type { FollowWish, Told } from './source.ts'

interface Options extends Omit<FollowWish, 'filter'> {
  readonly parameters: ApiParameters
}

/** After a connection is lost, in ms; longer and longer while there is none. */
const firstPause = 500
const longestPause = 10_000

/** The API's live feed; where the connection breaks it goes on with what came after the last one told. */
export async function* followedOverApi(
  api: ApiCalls,
  { parameters, signal, notice }: Options,
): AsyncGenerator<Told, void> {
  let last: string | undefined
  let isNew = true
  let pause = firstPause
  while (!signal.aborted) {
    const events: EventSourceMessage[] = []
    const parser = createParser({ onEvent: (event) => events.push(event) })
    try {
      const headers = last === undefined ? {} : { 'last-event-id': last }
      const body = await api.stream('/stream', parameters, { headers, signal })
      if (!isNew) notice('connected again')
      isNew = false
      pause = firstPause
      const decoder = new TextDecoder()
      for await (const chunk of body) {
        parser.feed(decoder.decode(chunk, { stream: true }))
        for (const event of events.splice(0)) {
          last = event.id ?? last
          const told = parseJson(event.data)
          if (event.event === 'interception' && isObject(told)) yield told
          else if (isObject(told)) notice(String(told.message))
        }
      }
      if (!signal.aborted) notice('the gateway ended the connection: trying again')
    } catch (error) {
      if (signal.aborted) return
      // One that refuses will do so again, and one that was never there is a mistake.
      if (isNew || isRefusal(error)) throw error
      if (pause === firstPause) notice(`${messageOf(error)}: trying again`)
    }
    await sleep(pause, undefined, { signal }).catch(() => {})
    pause = Math.min(longestPause, pause * 2)
  }
}

function isRefusal(error: unknown): boolean {
  return error instanceof SluiceError && error.status >= 400 && error.status < 500
}
