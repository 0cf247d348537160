import type { Accounts } from '../accounts/accounts.ts'
import { tokenLooks } from './gateway-token.ts'
import { badToken, cannotTell } from './refusals.ts'
import type { TokenCheck } from './token-check.ts'

/** `auth: tokens`: the users of the store. */
export function apiTokenCheck(accounts: Accounts, bootstrapToken: string | undefined): TokenCheck {
  return {
    marks: [...tokenLooks.marks, ...(bootstrapToken === undefined ? [] : [bootstrapToken])],
    isOurs: (text) => tokenLooks.isOurs(text) || text === bootstrapToken,
    isKnown: (text) => accounts.isKnown(text),
    async caller(text) {
      const holder = await accounts.holder(text).catch((error) => {
        throw cannotTell(error)
      })
      if (!holder) throw badToken('is unknown, revoked or expired')
      const { id, username, role } = holder.user
      return { id, username, role, apiKeyId: holder.token.id }
    },
  }
}
