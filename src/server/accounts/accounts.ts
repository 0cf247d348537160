import { randomUUID } from 'node:crypto'
import { mask } from '../../core/credentials.ts'
import { SluiceError } from '../../core/errors.ts'
import type { Role } from '../identity/caller.ts'
import { createToken, hashToken } from '../identity/gateway-token.ts'
import { isUsername } from '../identity/username.ts'
import type { AccountStore, ApiToken, Holder, NewToken, User } from './account-store.ts'
import { LastUses } from './last-uses.ts'
import { Remembered } from './remembered.ts'

export interface TokenWish {
  readonly username: string
  /** What it is for. @default '' */
  readonly name?: string
  /** In ms from now. @default never */
  readonly expiresIn?: number | undefined
}

/** A token on its one showing. */
export interface CreatedToken extends ApiToken {
  readonly token: string
}

/** Users and their tokens: who holds a token, at once where it was seen lately, and the changes an owner makes. */
export class Accounts {
  readonly #store: AccountStore
  readonly #holders: Remembered<Holder>
  readonly #users: Remembered<{ readonly user: User | null }>
  readonly #uses: LastUses
  #closed = false

  constructor(store: AccountStore) {
    this.#store = store
    this.#holders = new Remembered({ load: (hash) => store.holder(hash) })
    this.#users = new Remembered({
      load: async (username) => ({ user: await store.user(username) }),
    })
    this.#uses = new LastUses((uses) => store.used(uses))
  }

  /**
   * Who holds a token; null where nobody does or it has expired. It is looked up by its hash: how long a
   * comparison takes tells nothing of a token.
   */
  async holder(token: string): Promise<Holder | null> {
    const found = await this.#holders.get(hashToken(token))
    const expired = found?.token.expiresAt != null && found.token.expiresAt <= Date.now()
    if (!found || expired) return null
    this.#uses.note(found.token.id)
    return found
  }

  /** Whether a token was found good not long ago. */
  isKnown(token: string): boolean {
    return this.#holders.has(hashToken(token))
  }

  /** A user by name, remembered for some seconds. */
  async user(username: string): Promise<User | null> {
    return (await this.#users.get(username))?.user ?? null
  }

  users(): Promise<readonly User[]> {
    return this.#store.users()
  }

  async addUser(username: string, role: Role): Promise<User> {
    if (!isUsername(username) || username === 'me')
      throw new SluiceError(
        'a user name has 1 to 256 letters, digits and signs, no blank at its ends, and is not "me"',
        { code: 'ERR_USER_NAME', status: 400 },
      )
    const user: User = { id: randomUUID(), username, role, createdAt: Date.now() }
    if (!(await this.#store.addUser(user)))
      throw new SluiceError(`there is a user "${username}" already: choose another name`, {
        code: 'ERR_USER_EXISTS',
        status: 409,
      })
    this.#forget()
    return user
  }

  async setRole(username: string, role: Role): Promise<User> {
    if (role !== 'owner') await this.#keepAnOwner(username)
    if (!(await this.#store.setRole(username, role))) throw noUser(username)
    this.#forget()
    const user = await this.#store.user(username)
    if (!user) throw noUser(username)
    return user
  }

  /** With all tokens. What is recorded of the user stays. */
  async removeUser(username: string): Promise<void> {
    await this.#keepAnOwner(username)
    if (!(await this.#store.removeUser(username))) throw noUser(username)
    this.#forget()
  }

  async tokens(username?: string): Promise<readonly ApiToken[]> {
    if (username !== undefined && !(await this.#store.user(username))) throw noUser(username)
    return this.#store.tokens(username)
  }

  async createToken(wish: TokenWish): Promise<CreatedToken> {
    if (wish.name && !isUsername(wish.name))
      throw new SluiceError(
        'the name of a token has at most 256 letters, digits and signs, and no blank at its ends',
        { code: 'ERR_TOKEN_NAME', status: 400 },
      )
    const token = createToken()
    const { hash, ...facts } = newToken(token, wish)
    if (!(await this.#store.addToken({ hash, ...facts }))) throw noUser(wish.username)
    this.#forget()
    return { ...facts, lastUsedAt: null, token }
  }

  async revokeToken(id: string): Promise<void> {
    if (!(await this.#store.removeToken(id)))
      throw new SluiceError(
        `there is no token with the id "${id}": sluice tokens list shows them`,
        {
          code: 'ERR_NO_SUCH_TOKEN',
          status: 404,
        },
      )
    this.#forget()
  }

  /** The first owner, with a token that was chosen outside. False where there are users already. */
  async addFirst(username: string, token: string): Promise<boolean> {
    const createdAt = Date.now()
    const user: User = { id: randomUUID(), username, role: 'owner', createdAt }
    return this.#store.addFirst(user, newToken(token, { username, name: 'bootstrap' }))
  }

  get closed(): boolean {
    return this.#closed
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.#uses.flush()
    await this.#store.close()
  }

  /** Not watertight where two do it at once; then the command line on the store itself helps. */
  async #keepAnOwner(username: string): Promise<void> {
    const owners = (await this.#store.users()).filter(({ role }) => role === 'owner')
    if (owners.length === 1 && owners[0]?.username === username)
      throw new SluiceError(
        `"${username}" is the only owner: make another user owner first, so that somebody can manage users`,
        { code: 'ERR_LAST_OWNER', status: 409 },
      )
  }

  #forget(): void {
    this.#holders.forget()
    this.#users.forget()
  }
}

function newToken(token: string, { username, name = '', expiresIn }: TokenWish): NewToken {
  const createdAt = Date.now()
  const expiresAt = expiresIn === undefined ? null : createdAt + expiresIn
  const [id, hash] = [randomUUID(), hashToken(token)]
  return { id, username, name, hash, hint: mask(token), createdAt, expiresAt }
}

function noUser(username: string): SluiceError {
  return new SluiceError(`there is no user "${username}": sluice users list shows them`, {
    code: 'ERR_NO_SUCH_USER',
    status: 404,
  })
}
