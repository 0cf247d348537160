import type { EventType, InterceptionEvent } from './events.ts'

/** One bit a type: whether any of some events is looked at is then one `&`. */
const bits: Readonly<Record<EventType, number>> = {
  request: 1,
  text: 2,
  reasoning: 4,
  tool_call: 8,
  usage: 16,
  finish: 32,
  error: 64,
  end: 128,
}

/** The bit of a type. */
export function bitOf(type: EventType): number {
  return bits[type]
}

/** The bits of the types that are among the events. */
export function maskOf(events: readonly InterceptionEvent[]): number {
  let mask = 0
  for (const { type } of events) mask |= bits[type]
  return mask
}

/** The bits of what a plugin observes, beside `end`; of all where it does not say. */
export function observedMask(observes: readonly EventType[] | undefined): number {
  if (!observes) return ~0
  let mask = 0
  for (const type of observes) mask |= bits[type]
  return mask
}
