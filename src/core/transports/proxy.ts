import http from 'node:http'
import https from 'node:https'
import type { Duplex } from 'node:stream'
import { SluiceError } from '../errors.ts'
import type { ProxySettings } from '../upstream.ts'

/** The proxy for an upstream, or none. Both clients' own proxy support would merge repeated headers. */
export function proxyFor(
  url: URL,
  { httpProxy, httpsProxy, noProxy }: ProxySettings,
): URL | undefined {
  const address = url.protocol === 'https:' ? httpsProxy : httpProxy
  if (!address || bypasses(url, noProxy)) return undefined
  const proxy = URL.parse(address.includes('://') ? address : `http://${address}`)
  if (proxy && /^https?:$/.test(proxy.protocol)) return proxy
  throw new SluiceError(
    `the proxy for ${url.protocol}// upstreams is no http(s) URL; set it like http://proxy.example:3128`,
    { code: 'ERR_PROXY_URL' },
  )
}

/** `NO_PROXY` as curl reads it: hosts with their subdomains, an optional port, or `*` for all. */
function bypasses(url: URL, noProxy = ''): boolean {
  const host = bare(url.hostname)
  const port = url.port || (url.protocol === 'https:' ? '443' : '80')
  return noProxy.split(/[\s,]+/).some((entry) => {
    if (entry === '*') return true
    const [, name = entry, onPort] = /^(\[.*\]|[^:]*):(\d+)$/.exec(entry) ?? []
    const suffix = bare(name.replace(/^\*?\./, ''))
    if (suffix === '' || (onPort && onPort !== port)) return false
    return host === suffix || host.endsWith(`.${suffix}`)
  })
}

function bare(host: string): string {
  return host.toLowerCase().replace(/^\[|\]$|\.$/g, '')
}

/** The header pair that a proxy URL with a user in it asks for. */
export function proxyCredentials({ username, password }: URL): string[] {
  if (!username) return []
  const pair = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`
  return ['proxy-authorization', `Basic ${Buffer.from(pair).toString('base64')}`]
}

/** The request target that a proxy wants of a request to an `http:` upstream. */
export function absoluteForm({ protocol, host, pathname, search }: URL): string {
  return `${protocol}//${host}${pathname}${search}`
}

/** A connection through a proxy; the returned handle gives it up while it is being made. */
export function openTunnel(
  proxy: URL,
  target: { readonly host: string; readonly port: number },
  callback: (error: Error | null, socket: Duplex | null) => void,
  timeoutMs = 10_000,
): { destroy(error?: Error): void } {
  const authority = `${target.host.includes(':') ? `[${bare(target.host)}]` : target.host}:${target.port}`
  const { request } = proxy.protocol === 'https:' ? https : http
  const connect = request({
    method: 'CONNECT',
    host: bare(proxy.hostname),
    port: proxy.port || (proxy.protocol === 'https:' ? 443 : 80),
    path: authority,
    headers: ['host', authority, ...proxyCredentials(proxy)],
    agent: false,
  })
  const timer = setTimeout(() => connect.destroy(new Error('CONNECT was not answered')), timeoutMs)
  const settle = (error: Error | null, socket: Duplex | null): void => {
    clearTimeout(timer)
    callback(error, socket)
  }
  return connect
    .once('connect', ({ statusCode }, socket, head) => {
      if (head.length > 0) socket.unshift(head)
      if (statusCode === 200) {
        settle(null, socket)
      } else {
        socket.destroy()
        settle(new Error(`CONNECT was answered with ${statusCode}`), null)
      }
    })
    .once('error', (error) => settle(error, null))
    .end()
}
