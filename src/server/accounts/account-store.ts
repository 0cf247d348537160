import type { Role } from '../identity/caller.ts'

export interface User {
  /** UUID: a name that is given again is another user, who does not see the records of the first. */
  readonly id: string
  readonly username: string
  readonly role: Role
  /** In ms since 1970, as all times here. */
  readonly createdAt: number
}

/** An API token, without the token. */
export interface ApiToken {
  readonly id: string
  readonly username: string
  /** What it is for, in its user's words; may be empty. */
  readonly name: string
  /** Both ends of it, to tell it from others. */
  readonly hint: string
  readonly createdAt: number
  /** Null: never. */
  readonly expiresAt: number | null
  /** To the minute. */
  readonly lastUsedAt: number | null
}

export interface NewToken extends Omit<ApiToken, 'lastUsedAt'> {
  /** Of the whole token, as hex. */
  readonly hash: string
}

export interface Holder {
  readonly user: User
  readonly token: ApiToken
}

export interface TokenUse {
  readonly id: string
  readonly at: number
}

/** Where users and their tokens are kept. Memory, SQLite and Mongo pass one contract suite. */
export interface AccountStore {
  /** Ordered by name. */
  users(): Promise<readonly User[]>
  user(username: string): Promise<User | null>
  /** False where the name is taken. */
  addUser(user: User): Promise<boolean>
  /** False where there is no such user. */
  setRole(username: string, role: Role): Promise<boolean>
  /** With all tokens. False where there is no such user. */
  removeUser(username: string): Promise<boolean>
  /** Of one user, or of all; the oldest first. */
  tokens(username?: string): Promise<readonly ApiToken[]>
  /** False where there is no such user. */
  addToken(token: NewToken): Promise<boolean>
  removeToken(id: string): Promise<boolean>
  /** Who holds the token of this hash, also where it has expired. */
  holder(hash: string): Promise<Holder | null>
  /** An older time never replaces a newer one. */
  used(uses: readonly TokenUse[]): Promise<void>
  /** Adds both where there is no user yet; false where there is one. */
  addFirst(user: User, token: NewToken): Promise<boolean>
  close(): Promise<void>
}
