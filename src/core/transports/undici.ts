import type { Readable } from 'node:stream'
import type { Agent } from 'undici'
import type { Transport, TransportOptions } from '../upstream.ts'
import { maxHeaderSize, outgoing } from './outgoing.ts'
import { absoluteForm, proxyCredentials, proxyFor } from './proxy.ts'
import { connector, through, undiciAgent } from './undici-agent.ts'
import { Exchange } from './undici-exchange.ts'

/** The upstream call over undici: the faster one, and the gateway's default. */
export function undiciTransport({
  http2 = false,
  proxy: proxies = {},
  idleTimeoutMs = 4_000,
}: TransportOptions = {}): Transport {
  const connect = connector(http2)
  const settings = {
    allowH2: http2,
    pipelining: 1,
    keepAliveTimeout: idleTimeoutMs,
    // Without a ceiling an upstream's `keep-alive: timeout=` would be taken at its word.
    keepAliveMaxTimeout: idleTimeoutMs,
    headersTimeout: 0,
    bodyTimeout: 0,
    maxHeaderSize,
  }
  const direct = undiciAgent(connect, settings)
  const tunnels = new Map<string, Agent>()

  function tunnelled(proxy: URL): Agent {
    const made = tunnels.get(proxy.href) ?? undiciAgent(through(proxy, connect), settings)
    tunnels.set(proxy.href, made)
    return made
  }

  return {
    name: 'undici',
    send: (request) =>
      new Promise((resolve, reject) => {
        const { url, method, signal } = request
        if (signal.aborted) return reject(signal.reason)
        const proxy = proxyFor(url, proxies)
        const sent = outgoing(request)
        const { headers } = sent
        // Any iterable will do, which undici's types don't say.
        const body = sent.body as Readable | null
        const exchange = new Exchange({ url, proxy, signal, upload: body, resolve, reject })
        if (proxy && url.protocol === 'http:') {
          headers.push('host', url.host, ...proxyCredentials(proxy))
          const { origin } = proxy
          direct.dispatch({ origin, path: absoluteForm(url), method, headers, body }, exchange)
        } else {
          const path = url.pathname + url.search
          const agent = proxy ? tunnelled(proxy) : direct
          agent.dispatch({ origin: url.origin, path, method, headers, body }, exchange)
        }
      }),
    async close() {
      // Settles once the last running reply has ended, which nobody needs to wait for.
      for (const agent of [direct, ...tunnels.values()]) void agent.close()
    },
  }
}
