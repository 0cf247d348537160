import type { Outcome } from '../../src/core/events.ts'
import { routes } from '../support/questions.ts'

type FormatName = keyof typeof routes

/** What is to become of a request: answered, refused or cut by the upstream, left by the client. */
export type Fate = 'answered' | 'refused' | 'cut' | 'left'

export interface MixedRequest {
  readonly path: string
  readonly format: FormatName
  readonly streaming: boolean
  readonly fate: Fate
  readonly prompt: string
  readonly body: string
  /** Of the simulator. */
  readonly simulate: string
}

const formats = Object.keys(routes) as FormatName[]

/**
 * The request of that number: all formats, streamed and blocking, most of them answered. `pace`: how long a
 * streamed reply takes, in ms.
 */
export function mixedRequest(number: number, pace: number): MixedRequest {
  const format = formats[number % 3] as FormatName
  const streaming = number % 4 !== 0
  const fate = streaming ? fateOf(number) : number % 40 === 8 ? 'refused' : 'answered'
  const { path, ask } = routes[format]
  // Each is new: a repeated one would count as a retry, whose prompt is not recorded again.
  const prompt = `What is the weather in Oslo? Question ${number}`
  const body = JSON.stringify({
    ...ask,
    ...(format === 'responses'
      ? { input: prompt }
      : { messages: [{ role: 'user', content: prompt }] }),
    stream: streaming,
  })
  const delay = Math.round((pace / 15) * (0.2 + 1.6 * Math.random()))
  const simulate = `${streaming ? `delay=${delay}` : `wait=${delay * 5}`}${faults[fate]}`
  return { path, format, streaming, fate, prompt, body, simulate }
}

function fateOf(number: number): Fate {
  if (number % 20 === 7) return 'cut'
  if (number % 20 === 13) return 'left'
  return number % 40 === 17 ? 'refused' : 'answered'
}

const faults: Readonly<Record<Fate, string>> = {
  answered: '',
  refused: ' status=529',
  cut: ' cut=4',
  left: '',
}

/** What a stream that a client can take for whole holds near its end. */
export const terminal: Readonly<Record<FormatName, string>> = {
  messages: '"type":"message_stop"',
  chat: 'data: [DONE]',
  responses: '"type":"response.completed"',
}

/** How an interception may end whose client did not get a whole reply; `aborted` too, where something was killed. */
export const endings: Readonly<Record<Fate, readonly Outcome[]>> = {
  // The reply was recorded, and its last bytes were lost on the way.
  answered: ['completed'],
  refused: ['failed'],
  cut: ['upstream_cut'],
  left: ['client_gone', 'completed'],
}

/** How many thoughts the simulated model has of a question. */
export const thoughts: Readonly<Record<FormatName, number>> = { messages: 1, chat: 0, responses: 0 }
