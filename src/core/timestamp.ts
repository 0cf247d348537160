const last = { ms: 0, text: '' }

/** A time in RFC 3339, now if none is given: written once a millisecond, since all of an interception's records ask. */
export function timestamp(ms: number = Date.now()): string {
  if (ms !== last.ms) {
    last.ms = ms
    last.text = new Date(ms).toISOString()
  }
  return last.text
}
