import type { AccountStore, NewToken, User } from './account-store.ts'

/** Users and tokens that go with the process. */
export function memoryAccounts(): AccountStore {
  const users = new Map<string, User>()
  const tokens = new Map<
    string,
    Omit<NewToken, 'hash'> & { hash: string; lastUsedAt: number | null }
  >()
  const shown = ({ hash: _, ...token }: NewToken & { lastUsedAt: number | null }) => token

  const store: AccountStore = {
    users: async () => [...users.values()].sort((a, b) => (a.username < b.username ? -1 : 1)),
    user: async (username) => users.get(username) ?? null,
    addUser: async (user) => {
      if (users.has(user.username)) return false
      users.set(user.username, user)
      return true
    },
    setRole: async (username, role) => {
      const user = users.get(username)
      if (user) users.set(username, { ...user, role })
      return user !== undefined
    },
    removeUser: async (username) => {
      for (const [id, token] of tokens) if (token.username === username) tokens.delete(id)
      return users.delete(username)
    },
    tokens: async (username) =>
      [...tokens.values()]
        .filter((token) => username === undefined || token.username === username)
        .sort((a, b) => a.createdAt - b.createdAt)
        .map(shown),
    addToken: async (token) => {
      if (!users.has(token.username)) return false
      tokens.set(token.id, { ...token, lastUsedAt: null })
      return true
    },
    removeToken: async (id) => tokens.delete(id),
    holder: async (hash) => {
      const token = tokens.values().find((each) => each.hash === hash)
      const user = token && users.get(token.username)
      return token && user ? { user, token: shown(token) } : null
    },
    used: async (uses) => {
      for (const { id, at } of uses) {
        const token = tokens.get(id)
        if (token) token.lastUsedAt = Math.max(at, token.lastUsedAt ?? 0)
      }
    },
    addFirst: async (user, token) => {
      if (users.size > 0) return false
      return (await store.addUser(user)) && (await store.addToken(token))
    },
    close: async () => {},
  }
  return store
}
