import http, { type ClientRequest, type RequestOptions } from 'node:http'
import https from 'node:https'
import type { RawHeaders } from '../upstream.ts'
import { maxHeaderSize } from './outgoing.ts'
import { absoluteForm, proxyCredentials } from './proxy.ts'

/** What got does not tell of a reply. */
export interface Wire {
  statusText: string | undefined
  fault: ((error: Error) => void) | undefined
}

type Request = (url: URL, options: object) => ClientRequest

interface RawRequestOptions {
  readonly headers: RawHeaders
  /** The same headers, as they were given to got. */
  readonly given: Readonly<Record<string, unknown>>
  readonly wire: Wire
  readonly proxy: URL | undefined
  readonly signal: AbortSignal
}

/** got's last step, with the client's own header list in the place of the object that got made of it. */
export function rawRequest({ headers, given, wire, proxy, signal }: RawRequestOptions): Request {
  return (url, options) => {
    const { headers: wanted = {} } = options as { headers?: Record<string, string | string[]> }
    const list = ['host', url.host, ...withChanges(headers, given, wanted)]
    let target: RequestOptions & { abandon: AbortSignal } = {
      ...options,
      headers: list,
      maxHeaderSize,
      abandon: signal,
    }
    let scheme = url.protocol
    if (proxy && scheme === 'http:') {
      scheme = proxy.protocol
      list.push(...proxyCredentials(proxy))
      const { hostname, port } = proxy
      target = { ...target, hostname, port: port || null, path: absoluteForm(url) }
    }
    const request = (scheme === 'https:' ? https : http).request(url, {
      ...target,
      protocol: scheme,
    })
    // Past 1000 Node would leave headers out, the length of the body with them.
    request.maxHeadersCount = 0
    request.once('response', ({ statusMessage }) => {
      wire.statusText = statusMessage
    })
    // A body that lasts until the connection closes would pass for whole after a reset.
    request.on('error', (error) => wire.fault?.(error))
    // Nobody asked for one. Node takes the request for done then: it neither answers nor fails by itself.
    request.once('upgrade', (_reply, socket) => {
      socket.destroy()
      request.emit('error', new Error('it switched to another protocol'))
    })
    return request
  }
}

/** The raw list, less what got's hooks took out or changed, plus what they set. */
function withChanges(
  headers: RawHeaders,
  before: Readonly<Record<string, unknown>>,
  after: Readonly<Record<string, string | string[] | undefined>>,
): string[] {
  const list: string[] = []
  const changed = { ...after }
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i] as string
    const key = name.toLowerCase()
    if (String(after[key]) !== String(before[key])) continue
    list.push(name, headers[i + 1] as string)
    delete changed[key]
  }
  for (const [name, value] of Object.entries(changed))
    for (const item of [value ?? []].flat()) list.push(name, item)
  return list
}

/** `[name, value, …]` as the object that got wants, names in lower case, repeated ones as lists. */
export function merged(headers: RawHeaders): Record<string, string | string[]> {
  const object: Record<string, string | string[]> = {}
  for (let i = 0; i < headers.length; i += 2) {
    const name = (headers[i] as string).toLowerCase()
    const value = headers[i + 1] as string
    const before = object[name]
    object[name] = before === undefined ? value : [before, value].flat()
  }
  return object
}
