import type { RequestListener, Server, ServerResponse } from 'node:http'
import type { Log } from '../core/diagnostics.ts'
import type { Plugin } from '../core/plugin.ts'
import { type App, createApp } from './app.ts'
import type { Config } from './config.ts'
import { listen } from './listen.ts'
import { mounts } from './refusal.ts'
import { createRecorder } from './store.ts'

export interface ServeOptions {
  readonly log: Log
  /** Beside what the configuration asks for. @default none */
  readonly plugins?: readonly Plugin[]
  /** Runs when the port is ours and before the store is opened. */
  readonly beforeOpen?: (() => void) | undefined
}

export interface Running extends App {
  readonly config: Config
  readonly url: string
  /** Refuses new requests, waits for those that run, aborts the rest with their records, closes everything. */
  stop(): Promise<void>
}

/** The gateway as a server. Resolves when it is ready; rejects, with nothing left open, when it can't be. */
export async function serve(
  config: Config,
  { log, plugins = [], beforeOpen = () => {} }: ServeOptions,
): Promise<Running> {
  const open = new Set<ServerResponse>()
  let app: App | undefined
  let draining = false
  let handle: RequestListener = starting

  const { server, url } = await listen({
    host: config.host,
    port: config.port,
    onRequest(request, response) {
      open.add(response)
      response.on('close', () => open.delete(response))
      if (draining) response.shouldKeepAlive = false
      handle(request, response)
    },
    onUpgrade: (request, socket) =>
      mounts.some((prefix) => app?.gateway.handleUpgrade(request, socket, prefix)),
  })

  try {
    // Only now: another process on this port may be using the same store.
    beforeOpen()
    const recorder = await createRecorder(config)
    app = createApp(config, { recorder, log, plugins, isDraining: () => draining })
    await app.gateway.open()
  } catch (error) {
    await app?.gateway.close().catch(() => {})
    await closeServer(server)
    throw error
  }
  handle = app.koa.callback()
  const { gateway } = app

  async function stop(): Promise<void> {
    draining = true
    for (const response of open) response.shouldKeepAlive = false
    // A connection that was busy when the drain began is idle only later.
    const sweep = setInterval(() => server.closeIdleConnections(), 50)
    await gateway.drain(config.drainTimeout)
    clearInterval(sweep)
    await closeServer(server)
    await gateway.close()
  }

  return { ...app, config, url, stop }
}

/** An answer for the moments between taking the port and opening the store. */
const starting: RequestListener = (_request, response) => {
  response.writeHead(503, { 'content-type': 'application/json', 'retry-after': '1' })
  response.end(JSON.stringify({ message: 'Sluice is starting.' }))
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
    server.closeIdleConnections()
    // What the drain could not end in time must not hold the process.
    setTimeout(() => server.closeAllConnections(), 500).unref()
  })
}
