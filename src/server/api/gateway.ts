import type { Context, Middleware } from 'koa'
import { basePath } from '../../core/base-path.ts'
import { SluiceError } from '../../core/errors.ts'
import { type Gateway as CoreGateway, createGateway as createCore } from '../../core/gateway.ts'
import type { GatewayChanges, GatewayOptions } from '../../core/gateway-options.ts'
import { type InitiatorFunction, identifyBy } from '../../core/identity.ts'
import type { Store } from '../../core/store.ts'
import { type Caller, isRole } from '../identity/caller.ts'
import { described } from './described.ts'
import { LiveFeed } from './live-feed.ts'
import { restApi } from './rest-api.ts'

export interface ApiOptions {
  /** Where it is mounted. @default '/api/v2/aibridge' */
  readonly prefix?: string
  /**
   * Who is asking, with `role` `member` (sees what is recorded of that id; what everybody is who has none), `auditor` or
   * `owner` (see all). Nothing, or a throw, is a 401.
   */
  readonly authorize: InitiatorFunction
  /** What it answers from. @default the gateway's first plugin that is a store */
  readonly store?: Store
}

export interface Gateway extends CoreGateway {
  /** The REST API over what is recorded, for a Koa app of one's own; what is not its goes to `next()`. */
  api(options: ApiOptions): Middleware
}

/** Puts a gateway together: providers, plugins, who is asking. */
export function createGateway(options: GatewayOptions): Gateway {
  const core = createCore(options)
  const { diagnostics, close, reconfigure } = core
  let { providers, clientIdleTimeout = 600_000 } = options
  const feeds = new Map<Store, LiveFeed>()
  const log = diagnostics.log.bind(diagnostics)

  function api({ prefix = '/api/v2/aibridge', authorize, store = storeOf(options) }: ApiOptions) {
    const live = feeds.get(store) ?? new LiveFeed({ store, log })
    feeds.set(store, live)
    const base = basePath(prefix)
    const rest = restApi({
      store,
      live,
      prefix: base,
      authorize: callerBy(authorize),
      log,
      clientIdleTimeout: () => clientIdleTimeout,
      providerNames: () => providers.map(({ name }) => name),
    }).routes()
    const description = described({ prefix: base }).routes()
    const opened: Middleware = async (ctx, next) => {
      // A store of the gateway's opens with it.
      await core.open()
      return description(ctx as never, () => rest(ctx as never, next))
    }
    return opened
  }

  return Object.assign(core, {
    api,
    reconfigure: (changes: GatewayChanges) => {
      reconfigure(changes)
      providers = changes.providers ?? providers
      clientIdleTimeout = changes.clientIdleTimeout ?? clientIdleTimeout
    },
    close: async () => {
      for (const live of feeds.values()) live.close()
      await close()
    },
  })
}

function storeOf({ plugins = [] }: GatewayOptions): Store {
  const store = plugins.find((plugin): plugin is Store => 'stats' in plugin && 'feed' in plugin)
  if (store) return store
  throw new SluiceError(
    'the API needs a store: put memoryRecorder(), sqliteRecorder() or mongoRecorder() among the plugins, or name one',
    { code: 'ERR_NO_STORE' },
  )
}

function callerBy(authorize: InitiatorFunction): (ctx: Context) => Promise<Caller> {
  const identify = identifyBy(authorize)
  return async (ctx) => {
    try {
      const known = await identify(ctx)
      return { ...known, role: isRole(known.role) ? known.role : 'member' }
    } catch (error) {
      const isUnknown = error instanceof SluiceError && error.code === 'ERR_NO_INITIATOR'
      if (!isUnknown) throw error
      throw new SluiceError('nobody knows who you are: log in, or send a valid token', {
        code: 'ERR_NO_LOGIN',
        status: 403,
      })
    }
  }
}
