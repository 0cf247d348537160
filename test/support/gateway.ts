import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import Koa from 'koa'
import { createGateway, type Gateway } from '../../src/core/gateway.ts'
import type { GatewayOptions } from '../../src/core/gateway-options.ts'
import type { ProviderOptions } from '../../src/core/provider.ts'
import { anthropic } from '../../src/core/providers/anthropic.ts'
import { openai } from '../../src/core/providers/openai.ts'
import type { Recorder, StoredInterception } from '../../src/core/recorder.ts'
import { type CapturersOptions, capturers } from '../../src/plugins/capturers.ts'
import { memoryRecorder } from '../../src/plugins/memory-recorder.ts'
import {
  type FakeUpstream,
  type FakeUpstreamOptions,
  fakeUpstream,
} from '../../src/simulator/server.ts'

export interface TestGatewayOptions extends Partial<GatewayOptions> {
  readonly upstream?: FakeUpstreamOptions
  /** Of both providers. */
  readonly provider?: ProviderOptions
  readonly capture?: CapturersOptions
  /** How many interceptions the recorder keeps. @default 10000 */
  readonly kept?: number
  /** Puts the gateway into an app; `app.use(gateway.middleware())` without it. */
  readonly mount?: (app: Koa, gateway: Gateway) => void
}

export interface TestGateway {
  readonly url: string
  readonly port: number
  readonly server: Server
  readonly gateway: Gateway
  readonly upstream: FakeUpstream
  /** What the gateway said, one line each. */
  readonly log: string[]
  /** All interceptions that began, newest first. */
  interceptions(): Promise<readonly StoredInterception[]>
  /** The interception of that id, or the one that ended as the nth (from 0), as soon as it has ended. */
  ended(which: string | number): Promise<Ended>
  close(): Promise<void>
}

export type Ended = StoredInterception & { readonly end: NonNullable<StoredInterception['end']> }

/** A gateway with the capturers and a memory recorder, between real sockets and the simulated provider. */
export async function startGateway({
  upstream: upstreamOptions = {},
  provider = {},
  mount = (app, gateway) => app.use(gateway.middleware()),
  plugins = [],
  kept = 10_000,
  capture,
  ...options
}: TestGatewayOptions = {}): Promise<TestGateway> {
  const upstream = await fakeUpstream(upstreamOptions)
  const { recorder, ended } = watchedRecorder(kept)
  const log: string[] = []
  const settings: ProviderOptions = { baseUrl: upstream.url, chatUsage: 'off', ...provider }
  const gateway = createGateway({
    providers: [anthropic(settings), openai(settings)],
    initiator: () => 'tester',
    log: (level, message) => log.push(`${level}: ${message}`),
    ...options,
    plugins: [...capturers(capture), recorder, ...plugins],
  })
  await gateway.open()
  const app = new Koa()
  app.silent = true
  mount(app, gateway)
  const server = createServer(app.callback())
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    server,
    gateway,
    upstream,
    log,
    interceptions: async () => (await recorder.interceptions({ running: true })).results,
    ended,
    close: async () => {
      server.close()
      server.closeAllConnections()
      await gateway.close()
      await upstream.close()
    },
  }
}

/** A memory recorder that tells when an interception has ended. */
function watchedRecorder(maxInterceptions: number) {
  const recorder = memoryRecorder({ maxInterceptions })
  const order: string[] = []
  const waiting = new Set<() => void>()
  const watched: Recorder = {
    ...recorder,
    record: async (records) => {
      await recorder.record(records)
      for (const { type, interceptionId } of records) {
        if (type === 'interception_end') order.push(interceptionId)
      }
      for (const look of waiting) look()
    },
  }
  const idOf = (which: string | number): Promise<string> =>
    new Promise((resolve) => {
      const look = () => {
        const id = typeof which === 'number' ? order[which] : order.find((each) => each === which)
        if (id === undefined) return
        waiting.delete(look)
        resolve(id)
      }
      waiting.add(look)
      look()
    })
  const ended = async (which: string | number) =>
    (await recorder.interception(await idOf(which))) as Ended
  return { recorder: watched, ended }
}
