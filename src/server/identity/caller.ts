import type { Initiator } from '../../core/interception.ts'

/** What a user may do: ask models; read all that is recorded, too; manage users, too. */
export type Role = 'member' | 'auditor' | 'owner'

/** The least first. */
export const roles: readonly Role[] = ['member', 'auditor', 'owner']

/** Who is behind a request, as REST handlers find it in `ctx.state.caller`. */
export interface Caller extends Initiator {
  readonly role: Role
}

export function isRole(text: unknown): text is Role {
  return (roles as readonly unknown[]).includes(text)
}

/** Members see their own records only. */
export function canReadAll(role: Role): boolean {
  return role !== 'member'
}
