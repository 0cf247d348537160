import http, { type RequestOptions } from 'node:http'
import https from 'node:https'
import type { Socket } from 'node:net'
import type { ProxySettings } from '../upstream.ts'
import { openTunnel, proxyFor } from './proxy.ts'

/** Keeps connections, for as long as an upstream is sure to keep them; https goes through the proxy. */
export function keepAliveAgents(
  proxies: ProxySettings,
  timeout: number,
): { http: http.Agent; https: https.Agent } {
  const agent = new https.Agent({ keepAlive: true, timeout })
  const direct = agent.createConnection.bind(agent)
  agent.createConnection = (options, callback) => {
    const { host, port } = options as { host: string; port: number }
    const proxy = proxyFor(
      new URL(`https://${host.includes(':') ? `[${host}]` : host}:${port}`),
      proxies,
    )
    if (!proxy) return direct(options, callback)
    openTunnel(proxy, { host, port: Number(port) }, (error, socket) => {
      if (error) callback?.(error, undefined as never)
      else
        callback?.(
          null,
          direct({ ...options, socket: socket as Socket } as RequestOptions) as Socket,
        )
    })
    return undefined
  }
  return { http: new http.Agent({ keepAlive: true, timeout }), https: agent }
}
