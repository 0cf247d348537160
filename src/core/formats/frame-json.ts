import { parseJson } from '../json.ts'
import type { Frame } from '../sse.ts'

/** The frame's JSON, or undefined; what a look for the terminal frame has parsed is not parsed again. */
export function frameJson(frame: Frame): unknown {
  return parsed.has(frame) ? parsed.get(frame) : parseJson(frame.data)
}

/** As `frameJson`, and keeps the result for the reader that comes after. */
export function peekJson(frame: Frame): unknown {
  if (!parsed.has(frame)) parsed.set(frame, parseJson(frame.data))
  return parsed.get(frame)
}

/** The name of the event, empty where it has none: `message` is what a browser calls those. */
export function eventName({ event }: Frame): string {
  return event === 'message' ? '' : event
}

const parsed = new WeakMap<Frame, unknown>()
