import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Middleware } from 'koa'
import { basePath } from './base-path.ts'
import { checkOptions } from './check-options.ts'
import { clientRules as builtInRules } from './client-rules.ts'
import { Diagnostics, type Log } from './diagnostics.ts'
import { Drains } from './drains.ts'
import { SluiceError } from './errors.ts'
import { Gate } from './gate.ts'
import type { GatewayChanges, GatewayOptions } from './gateway-options.ts'
import { identifyBy } from './identity.ts'
import { Lineage } from './lineage.ts'
import { createInjectedTools } from './mcp/injected-tools.ts'
import { OpenRequests } from './open-requests.ts'
import { PluginSet } from './plugin-set.ts'
import type { Provider } from './provider.ts'
import { refuseUpgrade } from './refuse-upgrade.ts'
import { Retries } from './retries.ts'
import type { Runtime } from './runtime.ts'
import { serve } from './serve.ts'
import { targetOf } from './target.ts'
import { createTracing, traceLog } from './tracing/tracing.ts'
import { createTransport } from './transports/create-transport.ts'
import { within } from './within.ts'

export interface Gateway {
  /** For any Koa app, also behind a prefix; what is no provider's path goes to `next()`. */
  middleware(options?: { readonly prefix?: string }): Middleware
  /** For hosts with an `upgrade` listener: answers 426 on its paths and tells whether it did. */
  handleUpgrade(request: IncomingMessage, socket: Duplex, prefix?: string): boolean
  /**
   * Changes what is named, for requests that begin from now on: each that runs keeps what it began with. Throws, with
   * nothing changed, where that will not do. Connections that are no longer used close by themselves.
   */
  reconfigure(changes: GatewayChanges): void
  /** Opens the plugins; done by the first request where it is not called. Rejects where a durable one can't. */
  open(): Promise<void>
  /** Refuses new requests, waits `ms` for those that run, then ends them with their records. */
  drain(ms: number): Promise<void>
  /** Ends what runs, writes what waits, closes plugins and connections; once, however often it is called. */
  close(): Promise<void>
  readonly diagnostics: Diagnostics
  /** False from a missed `commitWait` until a commit succeeds; with `requireRecording` requests are refused then. */
  readonly recording: boolean
  /** How many requests are being served. */
  readonly openRequests: number
  /** How many records wait for each plugin that records. */
  readonly queues: readonly { readonly recorder: string; readonly records: number }[]
  /** What is wrong at the moment, in words; empty when all is well. */
  faults(): readonly string[]
}

const mebibyte = 1024 * 1024
const minute = 60_000

/** Puts a gateway together: providers, plugins, who is asking. */
export function createGateway({
  providers,
  plugins = [],
  initiator,
  transport: transportChoice = 'undici',
  layers = [],
  http2 = false,
  proxy,
  log = warnings,
  clientRules = builtInRules,
  allowByok = true,
  maxBodySize = 32 * mebibyte,
  commitWait = 1000,
  requireRecording = false,
  upstreamHeadersTimeout = 10 * minute,
  upstreamIdleTimeout = 5 * minute,
  clientIdleTimeout = 10 * minute,
  maxRecords = 1000,
  settleTimeout = 5000,
  disconnect = 'abort',
  drain = {},
  recordContent = true,
  annotations = true,
  mcp = { servers: {} },
  identityTimeout = 5000,
  tracing: tracingOptions = false,
}: GatewayOptions): Gateway {
  checkOptions({ providers, plugins, initiator, transport: transportChoice, layers })
  const tracing = createTracing(tracingOptions, recordContent)
  const diagnostics = new Diagnostics(traceLog(log, tracing))
  const transport = createTransport(transportChoice, { http2, ...(proxy && { proxy }) })
  const set = new PluginSet(plugins, diagnostics)
  // Each request holds on to the one that it began with.
  let runtime: Runtime = {
    providers: byName(providers),
    identify: identifyBy(initiator, identityTimeout),
    send: layers.reduceRight((send, layer) => layer(send), transport.send),
    clientRules,
    diagnostics,
    gate: new Gate(set.queues, commitWait, diagnostics),
    lineage: new Lineage(),
    retries: new Retries(),
    injectedTools: createInjectedTools(mcp, diagnostics),
    drains: new Drains(drain),
    tracing,
    pipeline: () => ({
      plugins: set.observers,
      queues: set.openQueues,
      diagnostics,
      maxRecords,
      settleTimeout,
      recordContent,
    }),
    settings: {
      allowByok,
      maxBodySize,
      requireRecording,
      upstreamHeadersTimeout,
      upstreamIdleTimeout,
      clientIdleTimeout,
      disconnect,
      annotations,
    },
    open: new OpenRequests(),
    state: { draining: false },
  }

  let closing: Promise<void> | undefined
  const closeAll = async () => {
    await gateway.drain(0)
    await runtime.injectedTools?.close()
    await set.close()
    await transport.close()
  }

  const gateway: Gateway = {
    diagnostics,
    get recording() {
      return !runtime.gate.isOpen
    },
    get openRequests() {
      return runtime.open.size
    },
    get queues() {
      return set.queues.map(({ plugin, size }) => ({ recorder: plugin.name, records: size }))
    },
    reconfigure: ({ providers, clientRules, mcp, ...settings }) => {
      const named = providers ? byName(providers) : runtime.providers
      const { injectedTools: before } = runtime
      const injectedTools = mcp
        ? createInjectedTools(mcp, diagnostics, before?.hiddenCalls)
        : before
      runtime = {
        ...runtime,
        providers: named,
        clientRules: clientRules ?? runtime.clientRules,
        injectedTools,
        settings: { ...runtime.settings, ...settings },
      }
      if (injectedTools !== before) before?.retire()
    },
    open: () => set.open(),
    middleware: ({ prefix = '' } = {}) => {
      const base = basePath(prefix)
      return async (ctx, next) => {
        const target = targetOf(ctx.req, base, runtime)
        if (!target) return next()
        await serve(ctx, target, runtime, set)
      }
    },
    handleUpgrade: (request, socket, prefix = '') => {
      const target = targetOf(request, basePath(prefix), runtime)
      if (!target) return false
      diagnostics.count('refused', { reason: 'upgrade' })
      refuseUpgrade(socket, target)
      return true
    },
    drain: async (ms) => {
      runtime.state.draining = true
      // Their clients have left: nobody is there to wait for.
      runtime.drains.stop()
      if (await within(runtime.open.empty(), ms)) return
      runtime.open.abort()
      await within(runtime.open.empty(), 5000)
    },
    close: () => {
      closing ??= closeAll()
      return closing
    },
    faults: () => [
      ...set.faults(),
      ...(runtime.gate.isOpen ? ['commits fail or are late: replies are released unrecorded'] : []),
    ],
  }
  return gateway
}

function byName(providers: readonly Provider[]): Map<string, Provider> {
  const map = new Map<string, Provider>()
  for (const provider of providers) {
    if (map.has(provider.name)) {
      throw new SluiceError(`two providers are named "${provider.name}": give one another name`, {
        code: 'ERR_PROVIDER_NAME',
      })
    }
    map.set(provider.name, provider)
  }
  return map
}

const warnings: Log = (level, message, fields) => {
  if (level === 'error' || level === 'warn')
    console.error(`sluice ${level}: ${message}`, fields ?? '')
}
