import { z } from 'zod'
import { roles } from './identity/caller.ts'

// What the API takes and tells of users and their tokens.

const role = z.enum(roles, { error: 'must be member, auditor or owner' })

export const newUser = z
  .strictObject({
    username: z.string({ error: 'must be given' }),
    role: role.default('member'),
  })
  .meta({ id: 'NewUser' })

export const roleChange = z.strictObject({ role }).meta({ id: 'RoleChange' })

export const newToken = z
  .strictObject({
    name: z
      .string({ error: 'must be a text' })
      .max(256, { error: 'is longer than 256' })
      .default(''),
    expires_in: z
      .int({ error: 'must be a whole number of seconds' })
      .positive({ error: 'must be more than 0' })
      .max(3_153_600_000, { error: 'is more than 100 years' })
      .optional()
      .meta({ description: 'Seconds.' }),
  })
  .meta({ id: 'NewToken' })

const time = z.string().meta({ format: 'date-time' })

export const me = z
  .object({
    id: z.string(),
    username: z.string(),
    name: z.string().optional(),
    role: z.enum(roles),
  })
  .meta({ id: 'Me' })

export const user = z
  .object({ id: z.string(), username: z.string(), role: z.enum(roles), created_at: time })
  .meta({ id: 'User' })

const tokenMembers = {
  id: z.string(),
  username: z.string(),
  name: z.string(),
  hint: z.string(),
  created_at: time,
  expires_at: time.nullable(),
  last_used_at: time.nullable(),
}

export const token = z.object(tokenMembers).meta({ id: 'Token' })

export const createdToken = z
  .object({ ...tokenMembers, token: z.string().meta({ description: 'Told this once.' }) })
  .meta({ id: 'CreatedToken' })
