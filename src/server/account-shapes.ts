import type { ApiToken, User } from './accounts/account-store.ts'

export type AccountShape = Readonly<Record<string, string | null>>

/** A user as the API and the commands tell it. */
export function userShape({ id, username, role, createdAt }: User): AccountShape {
  return { id, username, role, created_at: time(createdAt) }
}

/** A token, without the token. */
export function tokenShape(token: ApiToken): AccountShape {
  const { id, username, name, hint, createdAt, expiresAt, lastUsedAt } = token
  return {
    id,
    username,
    name,
    hint,
    created_at: time(createdAt),
    expires_at: time(expiresAt),
    last_used_at: time(lastUsedAt),
  }
}

function time<T extends number | null>(at: T): T extends null ? null : string
function time(at: number | null): string | null {
  return at === null ? null : new Date(at).toISOString()
}
