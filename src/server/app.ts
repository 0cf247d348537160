import Router from '@koa/router'
import Koa from 'koa'
import { Registry } from 'prom-client'
import type { Log } from '../core/diagnostics.ts'
import { createGateway, type Gateway } from '../core/gateway.ts'
import type { GatewayChanges } from '../core/gateway-options.ts'
import type { Plugin } from '../core/plugin.ts'
import type { Store } from '../core/store.ts'
import { metrics as counting } from '../plugins/metrics.ts'
import { accessLog } from './access-log.ts'
import type { AccountStore } from './accounts/account-store.ts'
import { Accounts } from './accounts/accounts.ts'
import { memoryAccounts } from './accounts/memory-accounts.ts'
import { described } from './api/described.ts'
import { LiveFeed } from './api/live-feed.ts'
import { restApi } from './api/rest-api.ts'
import type { Config } from './config.ts'
import { cors } from './cors.ts'
import { guard } from './guard.ts'
import { homePage } from './home-page.ts'
import { canReadAll } from './identity/caller.ts'
import { firstOwner } from './identity/first-owner.ts'
import { type Identify, identity } from './identity/identity.ts'
import { atLeast, knowCaller } from './identity/rest-caller.ts'
import { mcpOptions } from './mcp-options.ts'
import { createMetrics, type Metrics, type MetricsSnapshot, metricsText } from './metrics.ts'
import { observers, priceBy } from './observers.ts'
import { ownHeaders, setOwnHeaders } from './own-headers.ts'
import { mounts } from './refusal.ts'
import { serverPaths } from './server-paths.ts'
import { usersApi } from './users-api.ts'

export interface AppOptions {
  readonly recorder: Store
  readonly log: Log
  /** Where users and tokens are kept, which `accounts.close()` closes. @default in memory */
  readonly accountStore?: AccountStore
  /** Beside the observers that the configuration asks for, and the recorder. @default none */
  readonly plugins?: readonly Plugin[]
  /** True while the process goes down. @default never */
  readonly isDraining?: () => boolean
  /** What `/metrics` answers with, from this process's own figures. @default those */
  readonly gatherMetrics?: (own: MetricsSnapshot) => Promise<MetricsSnapshot>
}

export interface App {
  readonly koa: Koa
  readonly gateway: Gateway
  readonly metrics: Metrics
  readonly accounts: Accounts
  /** Who follows the live feed would never leave by itself. */
  readonly live: LiveFeed
  /** Goes on by another configuration, as far as one can be exchanged: requests that run keep theirs. */
  reconfigure(config: Config): void
  /** Makes the first owner where that is asked for. Never rejects. */
  openAccounts(): Promise<void>
}

/** The gateway as a Koa app: who may come in, the providers' routes, the API over what is recorded, pages. */
export function createApp(
  config: Config,
  {
    recorder,
    log,
    accountStore = memoryAccounts(),
    plugins = [],
    isDraining = () => false,
    gatherMetrics = async (own) => own,
  }: AppOptions,
): App {
  let current = config
  let price = priceBy(config)
  const accounts = new Accounts(accountStore)
  const identify = identity(config, { accounts, log })
  const registry = new Registry()
  const gateway = createGateway({
    ...config,
    ...changeable(config),
    http2: config.upstreamHttp2,
    drain: {
      maxTime: config.drainMaxTime,
      maxBytes: config.drainMaxBytes,
      maxCount: config.drainMaxCount,
    },
    plugins: [
      ...observers(config, (usage, interception) => price(usage, interception)),
      counting({ registry, initiator: config.metricsInitiator }),
      ...plugins,
      recorder,
    ],
    initiator: refusingBy(identify),
    log,
    tracing: config.trace && {
      semconv: config.semconv,
      content: config.traceContent,
      logs: config.traceLogs,
    },
  })

  const { diagnostics } = gateway
  const live = new LiveFeed({ store: recorder, log: diagnostics.log })
  const metrics = createMetrics({ diagnostics, registry, gateway, recorder })
  const metricsPage = async () => metricsText(await gatherMetrics(await metrics.snapshot()))

  const koa = new Koa()
  koa.on('error', (error: NodeJS.ErrnoException, ctx?: Koa.Context) => {
    // A client that breaks its connection off is no fault here; what it asked for says how it ended.
    const left = ctx?.req.socket.destroyed === true && leavings.has(error.code ?? '')
    gateway.diagnostics.log(left ? 'debug' : 'error', 'a request failed', { error })
  })
  koa.use(guard({ config: () => current, diagnostics }))
  for (const prefix of mounts) koa.use(gateway.middleware({ prefix }))
  koa.use(accessLog(diagnostics.log))
  koa.use(ownHeaders)
  koa.use(cors(config.corsOrigins))
  const providerNames = () => current.providers.map(({ name }) => name)
  const hasUser = async (name: string) => (await accounts.user(name)) !== null
  const clientIdleTimeout = () => current.clientIdleTimeout
  const rest = {
    store: recorder,
    live,
    authorize: identify,
    clientIdleTimeout,
    providerNames,
    hasUser,
    log: diagnostics.log,
  }
  for (const prefix of mounts.slice(1)) {
    koa.use(described({ prefix, paths: serverPaths, page: '/api/docs' }).routes())
    koa.use(restApi({ ...rest, prefix }).routes())
  }
  koa.use(usersApi({ accounts, authorize: identify, log: diagnostics.log }).routes())
  koa.use(pages({ config: () => current, gateway, identify, isDraining, metricsPage }).routes())
  koa.use(nothingThere)
  const reconfigure = (next: Config) => {
    gateway.reconfigure(changeable(next))
    price = priceBy(next)
    current = next
  }
  const { bootstrapToken } = config
  const openAccounts = async () => {
    if (config.auth === 'tokens') await firstOwner({ accounts, bootstrapToken, log })
  }
  return { koa, gateway, metrics, accounts, live, reconfigure, openAccounts }
}

/** What the gateway takes while requests run. */
function changeable(config: Config) {
  const { clients: clientRules, providers, allowByok, maxBodySize } = config
  const { upstreamHeadersTimeout, upstreamIdleTimeout, clientIdleTimeout } = config
  const { disconnect, annotations } = config
  return {
    providers,
    clientRules,
    mcp: mcpOptions(config),
    allowByok,
    maxBodySize,
    upstreamHeadersTimeout,
    upstreamIdleTimeout,
    clientIdleTimeout,
    disconnect,
    annotations,
  } satisfies GatewayChanges
}

/** On a provider's route what we answer ourselves is the refusal, and it alone gets headers of ours. */
function refusingBy(identify: Identify): Identify {
  return async (ctx) => {
    try {
      return await identify(ctx)
    } catch (error) {
      setOwnHeaders(ctx)
      throw error
    }
  }
}

function nothingThere(ctx: Koa.Context): void {
  // Set by the routers where a path is theirs and the method is not.
  const matched: readonly { methods: readonly string[] }[] = ctx.matched ?? []
  const methods = [...new Set(matched.flatMap((route) => route.methods))].sort()
  const known = methods.length > 0
  ctx.status = known ? 405 : 404
  if (known) ctx.set('allow', methods.join(', '))
  const taken = methods.filter((method) => method !== 'HEAD').join(' and ')
  const what = known ? `takes ${taken} only` : 'is not here; / says what is'
  ctx.body = { message: `${ctx.path} ${what}.` }
}

interface PagesOptions {
  /** The present one. */
  readonly config: () => Config
  readonly gateway: Gateway
  readonly identify: Identify
  readonly isDraining: () => boolean
  readonly metricsPage: () => ReturnType<typeof metricsText>
}

function pages({ config, gateway, identify, isDraining, metricsPage }: PagesOptions): Router {
  const { auth, requireRecording } = config()
  const router = new Router()
  router.get('/', (ctx) => {
    ctx.set('content-security-policy', "default-src 'none'; style-src 'unsafe-inline'")
    ctx.type = 'html'
    ctx.body = homePage(`${ctx.protocol}://${ctx.host}`, config())
  })
  router.get('/healthz', (ctx) => {
    ctx.body = { status: 'ok' }
  })
  router.get('/readyz', async (ctx) => {
    // What they say names hosts and files.
    const told = auth === 'none' || (await maySee(ctx, identify))
    const faults = gateway.faults().map((fault) => (told ? fault : 'told to auditors and owners'))
    const unrecorded = requireRecording && !gateway.recording
    ctx.status = isDraining() || unrecorded ? 503 : 200
    ctx.body = { status: isDraining() ? 'draining' : unrecorded ? 'not recording' : 'ok', faults }
  })
  const open: Koa.Middleware[] = auth === 'none' ? [] : [knowCaller(identify), atLeast('auditor')]
  router.get('/metrics', ...open, async (ctx) => {
    const { type, text } = await metricsPage()
    ctx.set('content-type', type)
    ctx.body = text
  })
  return router
}

/** How a connection fails whose client has gone. */
const leavings: ReadonlySet<string> = new Set([
  'ECONNRESET',
  'EPIPE',
  'ECONNABORTED',
  'ERR_STREAM_PREMATURE_CLOSE',
])

async function maySee(ctx: Koa.Context, identify: Identify): Promise<boolean> {
  try {
    return canReadAll((await identify(ctx)).role)
  } catch {
    return false
  }
}
