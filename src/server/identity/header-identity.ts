import type { IncomingMessage } from 'node:http'
import { SluiceError } from '../../core/errors.ts'
import { headerValues } from '../../core/headers.ts'
import type { Accounts } from '../accounts/accounts.ts'
import type { Caller, Role } from './caller.ts'
import type { Networks } from './networks.ts'
import { noLogin } from './refusals.ts'
import { takeOutHeaders } from './token-places.ts'
import { usernameOf } from './username.ts'

export interface HeaderIdentityOptions {
  /** The header's name. */
  readonly header: string
  readonly trusted: Networks
  readonly accounts: Accounts
}

/** `auth: header`: who a trusted proxy says it is. What others say in that header does not count. */
export async function headerIdentity(
  request: IncomingMessage,
  { header, trusted, accounts }: HeaderIdentityOptions,
): Promise<Caller> {
  const said = headerValues(request.rawHeaders, header)
  const wanted = header.toLowerCase()
  // No provider needs to know the user's name.
  takeOutHeaders(request, (name) => name === wanted)
  if (!trusted.has(request.socket.remoteAddress))
    throw noLogin('only requests that come through its proxy are taken')
  // One of two may be the client's own, which the proxy did not take out.
  if (said.length > 1) throw noLogin(`${header} came more than once`)
  const username = usernameOf(said[0] ?? '')
  if (username === undefined) throw noLogin(`the proxy named no user in ${header}`)
  return { id: username, username, role: await roleOf(username, accounts) }
}

/** Who is not in the store is a member, and so is everybody while it is away and was not asked lately. */
async function roleOf(username: string, accounts: Accounts): Promise<Role> {
  try {
    return (await accounts.user(username))?.role ?? 'member'
  } catch (error) {
    if (error instanceof SluiceError) return 'member'
    throw error
  }
}
