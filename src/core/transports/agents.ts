import http, { type RequestOptions } from 'node:http'
import https from 'node:https'
import type { Socket } from 'node:net'
import type { ProxySettings } from '../upstream.ts'
import { openTunnel, proxyFor } from './proxy.ts'

/** Keeps connections, for as long as an upstream is sure to keep them; https goes through the proxy. */
export function keepAliveAgents(
  proxies: ProxySettings,
  timeout: number,
): { readonly http: http.Agent; readonly https: https.Agent } {
  const agent = new https.Agent({ keepAlive: true, timeout })
  const direct = agent.createConnection.bind(agent)
  agent.createConnection = (options, callback) => {
    const { host, port, abandon } = options as Target
    const proxy = proxyFor(httpsUrl(host, port), proxies)
    if (!proxy) return direct(options, callback)
    const give = (): void => tunnel.destroy()
    const tunnel = openTunnel(proxy, { host, port: Number(port) }, (error, socket) => {
      abandon?.removeEventListener('abort', give)
      const secured = { ...options, socket: socket as Socket } as RequestOptions
      if (error) callback?.(error, undefined as never)
      else callback?.(null, direct(secured) as Socket)
    })
    abandon?.addEventListener('abort', give, { once: true })
    return undefined
  }
  return { http: new http.Agent({ keepAlive: true, timeout }), https: agent }
}

/** What an agent is asked to connect to, and `abandon`, which passes through Node from `rawRequest`. */
interface Target {
  readonly host: string
  readonly port: number
  readonly abandon?: AbortSignal
}

function httpsUrl(host: string, port: number): URL {
  return new URL(`https://${host.includes(':') ? `[${host}]` : host}:${port}`)
}
