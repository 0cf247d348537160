import { randomUUID } from 'node:crypto'
import { EventEmitter, once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'
import { setTimeout as pause } from 'node:timers/promises'
import { type JsonObject, objectOf } from '../../src/core/json.ts'

export interface TestTool {
  readonly name: string
  readonly inputSchema?: unknown
}

export interface TestCall {
  readonly name: string
  readonly args: JsonObject
  readonly headers: IncomingMessage['headers']
  readonly response: ServerResponse
}

export interface TestMcpOptions {
  readonly port?: number
  /** By the request's headers: users may have different ones. */
  tools?(headers: IncomingMessage['headers']): readonly unknown[]
  /** Tools a page. @default all */
  readonly pageSize?: number
  /** Gives a result, or nothing where it answered by itself or never will. @default the text `mock` */
  call?(call: TestCall): unknown
  /** In the answer to `initialize`. */
  readonly protocolVersion?: string
  /** Answers nothing at all, or no message with that method. */
  readonly hangs?: boolean | ((method: string) => boolean)
  /** How long a page of tools takes, in ms. @default 0 */
  readonly pageMs?: number
}

/** An MCP server over Streamable HTTP that misbehaves on demand. */
export interface TestMcpServer {
  readonly url: string
  readonly port: number
  /** JSON-RPC methods that came, in order. */
  readonly methods: readonly string[]
  /** How many sessions are open. */
  readonly sessions: ReadonlySet<string>
  /** Resolves at the next message with that method. */
  heard(method: string): Promise<JsonObject>
  /** Tells all that the list of tools has changed. */
  listChanged(): void
  /** Forgets all sessions, as after a restart. */
  forget(): void
  close(): Promise<void>
}

export async function mcpServer(options: TestMcpOptions = {}): Promise<TestMcpServer> {
  const methods: string[] = []
  const sessions = new Set<string>()
  const streams = new Set<ServerResponse>()
  const events = new EventEmitter().setMaxListeners(100)

  const server = createServer(async (request, response) => {
    if (options.hangs === true) return
    const session = String(request.headers['mcp-session-id'] ?? '')
    if (request.method === 'DELETE') {
      sessions.delete(session)
      events.emit('DELETE', {})
      return void response.writeHead(200).end()
    }
    if (request.method === 'GET') {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders()
      streams.add(response)
      response.on('close', () => streams.delete(response))
      return void events.emit('GET', {})
    }
    const message = objectOf(await json(request))
    const method = String(message.method)
    methods.push(method)
    const known = method === 'initialize' || sessions.has(session)
    events.emit(method, objectOf(message.params))
    if (typeof options.hangs === 'function' && options.hangs(method)) return
    if (method === 'tools/list') await pause(options.pageMs ?? 0)
    if (!known) return void response.writeHead(404).end('no such session')
    if (message.id === undefined) return void response.writeHead(202).end()
    const id = method === 'initialize' ? randomUUID() : session
    sessions.add(id)
    const result = answer(method, objectOf(message.params), request, response)
    if (result === undefined) return
    response.writeHead(200, { 'content-type': 'application/json', 'mcp-session-id': id })
    response.end(JSON.stringify({ jsonrpc: '2.0', id: message.id, ...objectOf(result) }))
  })

  function answer(
    method: string,
    params: JsonObject,
    { headers }: IncomingMessage,
    response: ServerResponse,
  ): unknown {
    if (method === 'initialize') {
      return {
        result: {
          protocolVersion: options.protocolVersion ?? '2025-06-18',
          capabilities: { tools: { listChanged: true } },
          serverInfo: { name: 'test', version: '1' },
        },
      }
    }
    if (method === 'tools/list') {
      const all = options.tools?.(headers) ?? [tool('echo')]
      const from = Number(params.cursor ?? 0)
      const to = from + (options.pageSize ?? all.length)
      const more = to < all.length && { nextCursor: String(to) }
      return { result: { tools: all.slice(from, to), ...more } }
    }
    if (method !== 'tools/call') return { error: { code: -32601, message: 'no such method' } }
    const call = { name: String(params.name), args: objectOf(params.arguments), headers, response }
    return options.call ? options.call(call) : textResult('mock')
  }

  server.listen(options.port ?? 0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}/mcp`,
    port,
    methods,
    sessions,
    heard: async (method) => (await once(events, method))[0] as JsonObject,
    listChanged: () => {
      const note = { jsonrpc: '2.0', method: 'notifications/tools/list_changed' }
      for (const stream of streams) stream.write(`data: ${JSON.stringify(note)}\n\n`)
    },
    forget: () => sessions.clear(),
    close: async () => {
      server.close()
      server.closeAllConnections()
    },
  }
}

export function tool(name: string, inputSchema: unknown = { type: 'object' }): TestTool {
  return { name, inputSchema }
}

export function textResult(text: string): { result: unknown } {
  return { result: { content: [{ type: 'text', text }] } }
}
