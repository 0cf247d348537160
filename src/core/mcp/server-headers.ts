import type { Initiator } from '../interception.ts'
import type { ServerHeaders } from './server-options.ts'

/** The headers for one initiator. */
export async function headersFor(
  headers: ServerHeaders,
  initiator: Initiator,
): Promise<Record<string, string>> {
  const given = typeof headers === 'function' ? await headers(initiator) : headers
  return Object.fromEntries(
    Object.entries(given).map(([name, value]) => [name, filledIn(value, initiator)]),
  )
}

function filledIn(value: string, { id, username, name = '' }: Initiator): string {
  const members: Readonly<Record<string, string>> = { id, username, name }
  return value.replace(/\$\{initiator\.(id|username|name)\}/g, (_, member) =>
    // A line end would begin a header of its own; other scripts than Latin have no place in one.
    encodeUnsafe(members[member] ?? ''),
  )
}

function encodeUnsafe(text: string): string {
  return text.toWellFormed().replace(/[^\x20-\x7e]/gu, encodeURIComponent)
}
