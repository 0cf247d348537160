import { MongoClient, type MongoClientOptions } from 'mongodb'
import { messageOf, SluiceError } from '../../core/errors.ts'
import { type Collections, collectionsIn } from './collections.ts'
import { storeFault } from './fault.ts'
import { ensureIndexes } from './indexes.ts'

export interface ConnectionOptions {
  readonly url: string | undefined
  readonly client: MongoClient | undefined
  readonly db: string | undefined
  readonly collection: string
  readonly clientOptions: MongoClientOptions
}

/** The way to the store: opened, closed and opened again; a client that was given to us stays open. */
export class Connection {
  readonly #client: MongoClient
  readonly #shared: boolean
  readonly #collections: Collections
  #open = false

  /** Throws where the URL or an option will not do, before anything is connected. */
  constructor({ url, client, db, collection, clientOptions }: ConnectionOptions) {
    this.#shared = client !== undefined
    this.#client = client ?? createClient(url ?? '', clientOptions)
    const name = db ?? (url === undefined ? this.#client.db().databaseName : databaseIn(url))
    const options = {
      ignoreUndefined: true,
      // What most of the members have in their journals outlives any one of them.
      writeConcern: { w: 'majority', journal: true, ...clientOptions.writeConcern },
    } as const
    this.#collections = collectionsIn(this.#client.db(name), collection, options)
  }

  async open(): Promise<void> {
    if (this.#open) return
    try {
      await this.#client.connect()
      await ensureIndexes(this.#collections)
      this.#open = true
    } catch (error) {
      await this.close()
      throw storeFault(error, this.#hosts)
    }
  }

  async close(): Promise<void> {
    this.#open = false
    if (!this.#shared) await this.#client.close()
  }

  /** Carries out a read or a write; what goes wrong is told with the hosts' names. */
  async use<T>(action: (collections: Collections) => Promise<T>): Promise<T> {
    if (!this.#open)
      throw new SluiceError(`the Mongo store at ${this.#hosts} is not open: call open() first`, {
        code: 'ERR_STORE_CLOSED',
      })
    try {
      return await action(this.#collections)
    } catch (error) {
      throw storeFault(error, this.#hosts)
    }
  }

  get #hosts(): string {
    const { hosts, srvHost } = this.#client.options
    return srvHost ?? hosts.join(',')
  }
}

function createClient(url: string, options: MongoClientOptions): MongoClient {
  try {
    // The driver's own 30 s would be half a minute in which nobody knows that the server is away.
    const timeout = /[?&]serverSelectionTimeoutMS=/i.test(url)
      ? {}
      : { serverSelectionTimeoutMS: 5000 }
    return new MongoClient(url, { appName: 'sluice', retryWrites: true, ...timeout, ...options })
  } catch (error) {
    // Without the cause: what a driver says of a URL may hold its password, and causes get logged.
    throw new SluiceError(
      `the Mongo URL or its options will not do (${withoutSecrets(messageOf(error), url)}): write mongodb://[user:password@]host[:port]/[database][?options], reserved characters of user and password as %XX`,
      { code: 'ERR_STORE_URL' },
    )
  }
}

/** The database that a URL names, else `sluice`. The URL class would refuse a list of hosts. */
export function databaseIn(url: string): string {
  const name = /^mongodb(?:\+srv)?:\/\/[^/?]*\/([^?]+)/.exec(url)?.[1]
  return name === undefined ? 'sluice' : decodeURIComponent(name)
}

function withoutSecrets(message: string, url: string): string {
  const credentials = /\/\/(.*)@/s.exec(url)?.[1]
  const secrets = [url, credentials, credentials?.replace(/^[^:]*:/, '')]
  return secrets.reduce<string>(
    (text, secret) => (secret ? text.replaceAll(secret, '***') : text),
    message,
  )
}
