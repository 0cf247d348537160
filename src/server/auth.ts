import type { IncomingHttpHeaders } from 'node:http'
import type { Initiator } from '../core/interception.ts'

/** `auth: none`: the user of this machine, or who `X-Sluice-User` names; nobody where the name is unusable. */
export function localInitiator(
  headers: IncomingHttpHeaders,
  osUser: string,
): (Initiator & { readonly role: string }) | undefined {
  const named = headers['x-sluice-user']
  const username = named === undefined || named === '' ? osUser : usernameOf(String(named))
  return username === undefined ? undefined : { id: username, username, role: 'owner' }
}

/** Node gives header bytes as latin-1; names are UTF-8. */
function usernameOf(header: string): string | undefined {
  const text = Buffer.from(header, 'latin1').toString('utf8').trim()
  const usable = text !== '' && text.length <= 256 && !/[\p{Cc}\p{Cf}\ufffd]/u.test(text)
  return usable ? text : undefined
}
