import type { ServerResponse } from 'node:http'
import type { Reply } from './upstream.ts'

/** Writes the upstream's status and these headers, and nothing of our own; the list is Node's from then on. */
export function writeReplyHead(
  response: ServerResponse,
  { status, statusText }: Reply,
  headers: string[],
): void {
  response.sendDate = false
  response.writeHead(status, sendable(statusText), headers)
}

/** Sends the head now, as latin-1: Node's own `flushHeaders` would write it as UTF-8. */
export function flushHead(response: ServerResponse): void {
  response.write(nothing)
}

const nothing = new Uint8Array()

/** Node reads control characters in a reason phrase, but refuses to write them. */
function sendable(statusText: string): string {
  return /^[\t\x20-\x7e\x80-\xff]*$/.test(statusText) ? statusText : ''
}
