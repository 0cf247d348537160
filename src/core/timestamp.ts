const last = { ms: 0, text: '' }

/** Now, in RFC 3339: written once a millisecond, since all of an interception's records ask for it. */
export function timestamp(): string {
  const ms = Date.now()
  if (ms !== last.ms) {
    last.ms = ms
    last.text = new Date(ms).toISOString()
  }
  return last.text
}
