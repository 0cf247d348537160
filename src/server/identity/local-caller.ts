import type { IncomingHttpHeaders } from 'node:http'
import type { Caller } from './caller.ts'
import { nobodyNamed } from './refusals.ts'
import { usernameOf } from './username.ts'

/** `auth: none`: the user of this machine, or who `X-Sluice-User` names. Throws where that name is unusable. */
export function localCaller(headers: IncomingHttpHeaders, osUser: string): Caller {
  const named = headers['x-sluice-user']
  const username = named === undefined || named === '' ? osUser : usernameOf(String(named))
  if (username === undefined) throw nobodyNamed()
  return { id: username, username, role: 'owner' }
}
