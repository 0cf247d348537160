import Router from '@koa/router'
import Koa from 'koa'
import type { Log } from '../core/diagnostics.ts'
import { createGateway, type Gateway } from '../core/gateway.ts'
import type { Plugin } from '../core/plugin.ts'
import type { Recorder } from '../core/recorder.ts'
import { api } from './api.ts'
import { localInitiator } from './auth.ts'
import type { Config } from './config.ts'
import { guard } from './guard.ts'
import { homePage } from './home-page.ts'
import { createMetrics, type Metrics, type MetricsSnapshot, metricsText } from './metrics.ts'
import { observers } from './observers.ts'
import { mounts } from './refusal.ts'

export interface AppOptions {
  readonly recorder: Recorder
  readonly log: Log
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
}

/** The gateway as a Koa app: who may come in, the providers' routes, the API over what is recorded, pages. */
export function createApp(
  config: Config,
  {
    recorder,
    log,
    plugins = [],
    isDraining = () => false,
    gatherMetrics = async (own) => own,
  }: AppOptions,
): App {
  const { providers } = config
  const initiator = (ctx: Koa.Context) => localInitiator(ctx.headers, config.user)
  const gateway = createGateway({
    ...config,
    http2: config.upstreamHttp2,
    clientRules: config.clients,
    drain: {
      maxTime: config.drainMaxTime,
      maxBytes: config.drainMaxBytes,
      maxCount: config.drainMaxCount,
    },
    plugins: [...observers(config), ...plugins, recorder],
    initiator,
    log,
  })

  const { diagnostics } = gateway
  const metrics = createMetrics({ diagnostics, gateway, recorder })
  const metricsPage = async () => metricsText(await gatherMetrics(await metrics.snapshot()))

  const koa = new Koa()
  koa.on('error', (error) => gateway.diagnostics.log('error', 'a request failed', { error }))
  koa.use(guard({ providers, diagnostics: gateway.diagnostics }))
  for (const prefix of mounts) koa.use(gateway.middleware({ prefix }))
  for (const prefix of mounts.slice(1)) {
    koa.use(api({ recorder, prefix, authorize: initiator, log: gateway.diagnostics.log }).routes())
  }
  koa.use(pages({ config, gateway, isDraining, metricsPage }).routes())
  koa.use(nothingThere)
  return { koa, gateway, metrics }
}

function nothingThere(ctx: Koa.Context): void {
  // Set by the routers where a path is theirs and the method is not.
  const matched: readonly { methods: readonly string[] }[] = ctx.matched ?? []
  const known = matched.some(({ methods }) => methods.length > 0)
  ctx.status = known ? 405 : 404
  if (known) ctx.set('allow', 'GET, HEAD')
  const what = known ? 'takes GET only' : 'is not here; / says what is'
  ctx.body = { message: `${ctx.path} ${what}.` }
}

interface PagesOptions {
  readonly config: Config
  readonly gateway: Gateway
  readonly isDraining: () => boolean
  readonly metricsPage: () => ReturnType<typeof metricsText>
}

function pages({ config, gateway, isDraining, metricsPage }: PagesOptions): Router {
  const router = new Router()
  router.get('/', (ctx) => {
    ctx.set('content-security-policy', "default-src 'none'; style-src 'unsafe-inline'")
    ctx.type = 'html'
    ctx.body = homePage(`http://${ctx.host}`, config.providers)
  })
  router.get('/healthz', (ctx) => {
    ctx.body = { status: 'ok' }
  })
  router.get('/readyz', (ctx) => {
    const faults = gateway.faults()
    const unrecorded = config.requireRecording && !gateway.recording
    ctx.status = isDraining() || unrecorded ? 503 : 200
    ctx.body = { status: isDraining() ? 'draining' : unrecorded ? 'not recording' : 'ok', faults }
  })
  router.get('/metrics', async (ctx) => {
    const { type, text } = await metricsPage()
    ctx.set('content-type', type)
    ctx.body = text
  })
  return router
}
