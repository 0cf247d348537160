import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { messageOf } from '../core/errors.ts'
import { objectOf } from '../core/json.ts'
import { simulated } from './misbehaviour.ts'
import { receive } from './receive.ts'
import type { ReceivedRequest, Replier, Reply } from './reply.ts'
import { respond } from './respond.ts'

export type { ReceivedRequest, Replier, Reply } from './reply.ts'

export interface FakeUpstreamOptions {
  /** @default 0, a free one */
  readonly port?: number
  /** How each request is replied to unless `next` says otherwise. @default a well-behaved answer */
  readonly reply?: Reply | Replier
  /** Ids differ from request to request; else equal requests get equal replies, to the byte. @default false */
  readonly freshIds?: boolean
  /** Keeps the requests, for `requests` and `request(index)`. @default true */
  readonly keepRequests?: boolean
}

/** A model provider that runs in this process, speaks all three wire formats, and misbehaves on demand. */
export interface FakeUpstream {
  /** `http://127.0.0.1:PORT`; OpenAI's SDK wants `/v1` behind it. */
  readonly url: string
  readonly port: number
  readonly requests: readonly ReceivedRequest[]
  /** How many connections were opened to it so far. */
  readonly connections: number
  /** Queues replies, one for each request to come. */
  next(...replies: readonly (Reply | Replier)[]): void
  /** The request of that index (from 0), as soon as it is there. */
  request(index: number): Promise<ReceivedRequest>
  /** Stops, and cuts what is still open. */
  close(): Promise<void>
}

/** Starts a fake upstream on 127.0.0.1. */
export async function fakeUpstream({
  port = 0,
  reply: usual = {},
  freshIds = false,
  keepRequests = true,
}: FakeUpstreamOptions = {}): Promise<FakeUpstream> {
  const queue: (Reply | Replier)[] = []
  const requests: ReceivedRequest[] = []
  const waiting = new Set<() => void>()
  const closings = new WeakMap<Socket, Promise<void>>()
  let connections = 0
  let count = 0

  const server = createServer({ keepAliveTimeout: 60_000 }, (message, response) => {
    serve(message, response).catch((error: unknown) => {
      // Most often the client has left, which is no news; else the author of a reply should see why.
      if (response.headersSent) return void response.destroy()
      response.writeHead(500)
      response.end(`The fake upstream could not reply: ${messageOf(error)}`)
    })
  })
  server.on('connection', (socket: Socket) => {
    connections++
    closings.set(socket, new Promise((resolve) => socket.once('close', () => resolve())))
  })

  async function serve(message: IncomingMessage, response: ServerResponse): Promise<void> {
    const { request, watch } = await receive(message, response, closings.get(message.socket))
    const salt = freshIds ? `${count++} ${Date.now()}` : ''
    if (keepRequests) requests.push(request)
    for (const notify of waiting) notify()

    const queued = await made(queue.shift(), request)
    const asked = simulated(request.headers, objectOf(request.json))
    // A queued reply beats what the request asks for, which beats what is usual.
    const reply = queued ? { ...asked, ...queued } : { ...(await made(usual, request)), ...asked }
    await respond(request, response, { reply, salt, watch })
  }

  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(port, '127.0.0.1', resolve)
  })
  const { port: bound } = server.address() as AddressInfo

  return {
    url: `http://127.0.0.1:${bound}`,
    port: bound,
    requests,
    get connections() {
      return connections
    },
    next: (...replies) => void queue.push(...replies),
    request: (index) =>
      new Promise((resolve) => {
        const look = () => {
          const found = requests[index]
          if (!found) return
          waiting.delete(look)
          resolve(found)
        }
        waiting.add(look)
        look()
      }),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

function made(
  reply: Reply | Replier | undefined,
  request: ReceivedRequest,
): Reply | undefined | Promise<Reply | undefined> {
  return typeof reply === 'function' ? reply(request) : reply
}
