import { type Collection, type Document, MongoClient, MongoServerError } from 'mongodb'
import { SluiceError } from '../../core/errors.ts'
import { databaseIn } from '../../plugins/mongo/connection.ts'
import { storeFault } from '../../plugins/mongo/fault.ts'
import type { AccountStore, ApiToken, NewToken, User } from './account-store.ts'

interface UserDocument extends Omit<User, 'id'> {
  readonly _id: string
}

interface TokenDocument extends Omit<NewToken, 'id' | 'username'> {
  readonly _id: string
  readonly userId: string
  readonly lastUsedAt: number | null
}

interface Collections {
  readonly users: Collection<UserDocument>
  readonly tokens: Collection<TokenDocument>
}

/** Users and tokens in collections of their own beside the records. Connects with the first question. */
export function mongoAccounts(url: string): AccountStore {
  let client: MongoClient | undefined
  let opening: Promise<Collections> | undefined

  async function open(): Promise<Collections> {
    client = createClient(url)
    const options = { writeConcern: { w: 'majority', journal: true } } as const
    const db = client.db(databaseIn(url))
    const users = db.collection<UserDocument>('sluice_users', options)
    const tokens = db.collection<TokenDocument>('sluice_tokens', options)
    await users.createIndex({ username: 1 }, { unique: true, name: 'sluice_username' })
    await tokens.createIndex({ hash: 1 }, { unique: true, name: 'sluice_hash' })
    await tokens.createIndex({ userId: 1, createdAt: 1 }, { name: 'sluice_user' })
    return { users, tokens }
  }

  async function use<T>(action: (collections: Collections) => Promise<T>): Promise<T> {
    opening ??= open()
    const mine = opening
    try {
      return await action(await mine)
    } catch (error) {
      // What did not open is opened anew by the next question.
      await mine.catch(async () => {
        if (opening !== mine) return
        opening = undefined
        await client?.close()
      })
      throw storeFault(error, hostsOf(url))
    }
  }

  const find = async ({ users }: Collections, username: string) => users.findOne({ username })

  async function insertToken(at: Collections, token: NewToken): Promise<boolean> {
    const user = await find(at, token.username)
    if (!user) return false
    const { id: _id, username: _, ...rest } = token
    await at.tokens.insertOne({ _id, userId: user._id, ...rest, lastUsedAt: null })
    // Whoever removed the user meanwhile did not see this one.
    if (await at.users.findOne({ _id: user._id })) return true
    await at.tokens.deleteOne({ _id })
    return false
  }

  return {
    users: () =>
      use(async ({ users }) => (await users.find().sort({ username: 1 }).toArray()).map(userOf)),
    user: (username) =>
      use(async (at) => {
        const found = await find(at, username)
        return found && userOf(found)
      }),
    addUser: (user) => use(({ users }) => inserted(users.insertOne(documentOf(user)))),
    setRole: (username, role) =>
      use(
        async ({ users }) =>
          (await users.updateOne({ username }, { $set: { role } })).matchedCount > 0,
      ),
    removeUser: (username) =>
      use(async (at) => {
        const user = await find(at, username)
        if (!user) return false
        await at.users.deleteOne({ _id: user._id })
        await at.tokens.deleteMany({ userId: user._id })
        return true
      }),
    tokens: (username) =>
      use(async (at) => {
        const user = username === undefined ? undefined : await find(at, username)
        if (user === null) return []
        const found = await at.tokens
          .find(user ? { userId: user._id } : {})
          .sort({ createdAt: 1, _id: 1 })
          .toArray()
        const names = new Map(
          (user ? [user] : await at.users.find().toArray()).map((each) => [
            each._id,
            each.username,
          ]),
        )
        return found.flatMap((token) => {
          const owner = names.get(token.userId)
          return owner === undefined ? [] : [tokenOf(token, owner)]
        })
      }),
    addToken: (token) => use((at) => insertToken(at, token)),
    removeToken: (id) =>
      use(async ({ tokens }) => (await tokens.deleteOne({ _id: id })).deletedCount > 0),
    holder: (hash) =>
      use(async ({ users, tokens }) => {
        const token = await tokens.findOne({ hash })
        const user = token && (await users.findOne({ _id: token.userId }))
        return token && user ? { user: userOf(user), token: tokenOf(token, user.username) } : null
      }),
    used: (uses) =>
      use(async ({ tokens }) => {
        await Promise.all(
          uses.map(({ id, at }) => tokens.updateOne({ _id: id }, { $max: { lastUsedAt: at } })),
        )
      }),
    addFirst: (user, token) =>
      use(async (at) => {
        if (await at.users.findOne()) return false
        // Of several processes that start at once, one gets the name.
        return (await inserted(at.users.insertOne(documentOf(user)))) && insertToken(at, token)
      }),
    close: async () => {
      await opening?.catch(() => {})
      opening = undefined
      await client?.close()
    },
  }
}

function createClient(url: string): MongoClient {
  try {
    // A request waits for the answer: the driver's own 30 s are too many.
    const patience = /[?&]serverSelectionTimeoutMS=/i.test(url)
      ? {}
      : { serverSelectionTimeoutMS: 3000 }
    return new MongoClient(url, { appName: 'sluice accounts', ...patience })
  } catch {
    // What a driver says of a URL may hold its password.
    throw new SluiceError('the Mongo URL or its options will not do: see store', {
      code: 'ERR_STORE_URL',
    })
  }
}

function hostsOf(url: string): string {
  return /^mongodb(?:\+srv)?:\/\/(?:[^/?]*@)?([^/?]*)/.exec(url)?.[1] ?? 'MongoDB'
}

async function inserted(insertion: Promise<Document>): Promise<boolean> {
  try {
    await insertion
    return true
  } catch (error) {
    if (error instanceof MongoServerError && error.code === 11000) return false
    throw error
  }
}

function documentOf({ id, ...user }: User): UserDocument {
  return { _id: id, ...user }
}

function userOf({ _id: id, username, role, createdAt }: UserDocument): User {
  return { id, username, role, createdAt }
}

function tokenOf(token: TokenDocument, username: string): ApiToken {
  const { _id: id, name, hint, createdAt, expiresAt, lastUsedAt } = token
  return { id, username, name, hint, createdAt, expiresAt, lastUsedAt }
}
