import plainGot, { type Delays, type Got } from 'got'
import type { Transport, TransportOptions } from '../upstream.ts'
import { keepAliveAgents } from './agents.ts'
import { gotReply } from './got-reply.ts'
import { merged, rawRequest, type Wire } from './got-request.ts'
import { outgoing } from './outgoing.ts'
import { proxyFor } from './proxy.ts'

export interface GotTransportOptions extends TransportOptions {
  /** An instance of one's own, with its hooks, agents and cache. @default got's own */
  readonly got?: Got
}

/** The upstream call over got: for hosts that want its hooks, agents or cache. */
export function gotTransport({
  http2 = false,
  proxy: proxies = {},
  idleTimeoutMs = 4_000,
  got: instance = plainGot,
}: GotTransportOptions = {}): Transport {
  const ours = keepAliveAgents(proxies, idleTimeoutMs)
  const theirs = instance.defaults.options.agent
  const agent = { http: theirs.http ?? ours.http, https: theirs.https ?? ours.https }
  const client = instance.extend({
    retry: { limit: 0 },
    throwHttpErrors: false,
    decompress: false,
    followRedirect: false,
    allowGetBody: true,
    // It counts got's own copy of the body, which nobody reads; Node checks the length itself.
    strictContentLength: false,
    timeout: connectOnly as unknown as Delays,
  })

  return {
    name: 'got',
    async send(request) {
      const { url, signal } = request
      signal.throwIfAborted()
      const proxy = proxyFor(url, proxies)
      // got negotiates HTTP/2 only where no HTTP/1.1 agent is set, and would go past a proxy.
      const negotiate = http2 && !proxy && url.protocol === 'https:' && !theirs.https
      const { headers, body, chunked } = outgoing(request)
      if (chunked) headers.push('transfer-encoding', 'chunked')
      const given = merged(headers)
      const wire: Wire = { statusText: undefined, fault: undefined }
      const stream = client.stream(url, {
        method: request.method as 'POST',
        // The first keeps got from naming itself where the client named nothing.
        headers: { 'user-agent': undefined, ...given },
        http2: negotiate,
        agent: negotiate ? theirs : agent,
        ...(body ? { body } : {}),
        ...(negotiate ? {} : { request: rawRequest({ headers, given, wire, proxy, signal }) }),
      })
      if (!body) stream.end()
      return gotReply(stream, { url, proxy, signal, upload: body, wire })
    },
    async close() {
      for (const agent of [ours.http, ours.https]) {
        agent.maxFreeSockets = 0
        for (const socket of Object.values(agent.freeSockets).flat()) socket?.destroy()
      }
    },
  }
}

/** The relay has its own idle timer: got's cut replies that were only paused. */
const connectOnly = {
  lookup: undefined,
  connect: 10_000,
  secureConnect: 10_000,
  socket: undefined,
  send: undefined,
  response: undefined,
  read: undefined,
  request: undefined,
}
