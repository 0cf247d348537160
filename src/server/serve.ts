import type { Server, ServerResponse } from 'node:http'
import { Server as TlsServer } from 'node:tls'
import type { Log } from '../core/diagnostics.ts'
import type { Plugin } from '../core/plugin.ts'
import type { Recorder } from '../core/recorder.ts'
import type { Store } from '../core/store.ts'
import { accountsOf } from './accounts/open-accounts.ts'
import { type App, type AppOptions, createApp } from './app.ts'
import { type Chore, chores } from './chores.ts'
import type { Config } from './config.ts'
import { listen } from './listen.ts'
import { mounts } from './refusal.ts'
import { starting } from './starting.ts'
import { createRecorder } from './store.ts'
import { startTelemetry } from './telemetry.ts'

export interface ServeOptions {
  readonly log: Log
  /** Beside what the configuration asks for. @default none */
  readonly plugins?: readonly Plugin[]
  /** Runs when the port is ours and before the store is opened. */
  readonly beforeOpen?: (() => void) | undefined
  /** The port is taken last: others serve there already, and nobody is to be told to wait. @default false */
  readonly openFirst?: boolean
  /** With workers: see there. */
  readonly gatherMetrics?: AppOptions['gatherMetrics']
}

export interface Running extends App {
  /** The present one. */
  readonly config: Config
  readonly url: string
  readonly recorder: Recorder
  /** Goes on by another configuration, of which nothing is new but what a reload can take. */
  reload(config: Config): void
  /** Begins what exactly one process does beside serving. Once is enough. */
  lead(): void
  /** Refuses new requests, waits for those that run, aborts the rest with their records, closes everything. */
  stop(): Promise<void>
}

/** The gateway as a server. Resolves when it is ready; rejects, with nothing left open, when it can't be. */
export async function serve(
  config: Config,
  { log, plugins = [], beforeOpen = () => {}, openFirst = false, gatherMetrics }: ServeOptions,
): Promise<Running> {
  const open = new Set<ServerResponse>()
  let app: App | undefined
  let recorder: Store
  let draining = false
  let handle = starting(config, log)

  const takePort = () =>
    listen({
      host: config.host,
      port: config.port,
      tls: config.tls,
      onRequest(request, response) {
        open.add(response)
        response.on('close', () => open.delete(response))
        if (draining) response.shouldKeepAlive = false
        handle(request, response)
      },
      onUpgrade: (request, socket) =>
        mounts.some((prefix) => app?.gateway.handleUpgrade(request, socket, prefix)),
    })

  let listening = openFirst ? undefined : await takePort()
  // Before the gateway, which asks for its tracer.
  const telemetry = await startTelemetry(config, log)
  try {
    // Only now: another process on this port may be using the same store.
    beforeOpen()
    recorder = await createRecorder(config)
    const isDraining = () => draining
    app = createApp(config, {
      recorder,
      accountStore: await accountsOf(config.store),
      log,
      plugins: [...plugins, ...telemetry.plugins],
      isDraining,
      ...(gatherMetrics && { gatherMetrics }),
    })
    await app.gateway.open()
    await app.openAccounts()
    handle = app.koa.callback()
    listening ??= await takePort()
  } catch (error) {
    await app?.gateway.close().catch(() => {})
    await app?.accounts.close().catch(() => {})
    await telemetry.stop()
    if (listening) await closeServer(listening.server)
    throw error
  }
  const { server, url } = listening
  const { gateway, accounts, live } = app

  let current = config
  let started: ReturnType<Chore>[] | undefined
  let idle = Promise.resolve()
  function lead(): void {
    const { diagnostics } = gateway
    if (draining) return
    started ??= chores.map((chore) => chore({ config: current, recorder, log, diagnostics }))
  }

  function reload(next: Config): void {
    app?.reconfigure(next)
    if (next.tls && server instanceof TlsServer) server.setSecureContext(next.tls)
    current = next
    if (started) idle = idle.then(rest).then(lead)
  }

  /** Ends what `lead` began. */
  async function rest(): Promise<void> {
    const running = started ?? []
    await Promise.allSettled(running.map(async (chore) => chore.stop()))
    started = undefined
  }

  async function stop(): Promise<void> {
    draining = true
    live.close()
    const rested = idle.then(rest)
    for (const response of open) response.shouldKeepAlive = false
    // A connection that was busy when the drain began is idle only later.
    const sweep = setInterval(() => server.closeIdleConnections(), 50)
    await gateway.drain(config.drainTimeout)
    clearInterval(sweep)
    await closeServer(server)
    await rested
    await gateway.close()
    await accounts.close()
    await telemetry.stop()
  }

  return {
    ...app,
    get config() {
      return current
    },
    url,
    recorder,
    lead,
    reload,
    stop,
  }
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
    server.closeIdleConnections()
    // What the drain could not end in time must not hold the process.
    setTimeout(() => server.closeAllConnections(), 500).unref()
  })
}
