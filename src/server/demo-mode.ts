import type { Log } from '../core/diagnostics.ts'
import { messageOf } from '../core/errors.ts'
import type { Config } from './config.ts'
import { demoProvider, startDemo } from './demo.ts'
import { emptyStore } from './store.ts'

export interface DemoMode {
  /** A configuration with the simulated provider in the place of the real ones. */
  adapted(config: Config): Config
  /** Empties the demo's own store; never one that the user named. */
  readonly beforeOpen: () => void
  /** Sends the sample traffic. */
  start(url: string): void
  stop(): Promise<void>
}

/** `--demo`: a simulated provider behind every provider's name, and traffic of several users and clients. */
export async function demoMode(config: Config, log: Log): Promise<DemoMode> {
  const upstream = await demoProvider()
  const end = new AbortController()
  let traffic: Promise<void> = Promise.resolve()
  return {
    adapted: (given) => ({
      ...given,
      providers: given.providers.map((provider) => ({
        ...provider,
        baseUrl: new URL(upstream.url),
        // For clients without a key: the simulated provider asks for none, the gateway does.
        key: 'demo-key',
      })),
      // It is on this machine: a proxy to the world would not find it.
      proxy: {},
    }),
    beforeOpen: () => {
      if (config.ownDemoStore) emptyStore(config.store)
    },
    start: (url) => {
      const onError = (error: unknown) => log('warn', `the demo's traffic: ${messageOf(error)}`)
      traffic = startDemo({ url, signal: end.signal, onError }).ended
    },
    stop: async () => {
      end.abort()
      await traffic
      await upstream.close()
    },
  }
}
