import { deepEqual, equal, match, ok } from 'node:assert/strict'
import { randomBytes, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js'
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js'
import { arrayOf, objectOf } from '../../../src/core/json.ts'
import type { McpServerOptions } from '../../../src/core/mcp/server-options.ts'
import { serveEcho } from '../../support/echo-mcp-server.ts'
import { startGateway } from '../../support/gateway.ts'
import { type HostTracing, hostTracing } from '../../support/host-tracing.ts'
import { routes } from '../../support/questions.ts'

const clientSpan = '00f067aa0ba902b7'
let host: HostTracing

before(() => {
  host = hostTracing()
})
after(() => host.stop())

test('an MCP server over HTTP hears of the trace in headers and in _meta, each request of its own span', async (t) => {
  const server = await httpServer()
  t.after(() => server.close())
  const { parents, meta } = await calledWithin({ url: server.url })
  for (const [method, span] of Object.entries(parents)) {
    equal(server.headers.get(method)?.traceparent, span, method)
    equal(server.headers.get(method)?.tracestate, 'vendor=1')
    equal(server.headers.get(method)?.baggage, 'team=blue')
  }
  // The SDK's word that it is ready is no request, but goes out amid them.
  equal(server.headers.get('notifications/initialized')?.traceparent, parents.initialize)
  deepEqual(meta, metaOf(parents))
})

test('one over a pipe hears of it in _meta', async () => {
  const file = fileURLToPath(new URL('../../support/echo-mcp-server.ts', import.meta.url))
  const { parents, meta } = await calledWithin({ command: process.execPath, args: [file] })
  deepEqual(meta, metaOf(parents))
})

test('without tracing neither names a trace', async (t) => {
  const server = await httpServer()
  t.after(() => server.close())
  const { meta } = await calledWithin({ url: server.url }, false)
  for (const [method, headers] of server.headers) equal(headers.traceparent, undefined, method)
  ok(Object.values(meta).every((each) => each === null))
})

test('what is sent later, or for nobody, names no trace that has ended', async (t) => {
  const server = await httpServer()
  t.after(() => server.close())
  const gateway = await startGateway({
    tracing: true,
    mcp: { servers: { echo: { url: server.url } } },
  })
  t.after(() => gateway.close())
  const { traceId } = await ask(gateway.url)
  await host.whole(traceId)
  const listed = server.heard('tools/list')
  await server.changeTools()
  equal((await listed).traceparent, undefined)
})

/** Has the model call the server's tool, and tells which spans the requests to the server are to name. */
async function calledWithin(server: McpServerOptions, tracing = true) {
  const gateway = await startGateway({
    tracing,
    mcp: { servers: { echo: server } },
  })
  const calls = [{ name: 'bmcp_echo_echo', input: {} }]
  gateway.upstream.next({ answer: { calls } }, { answer: { calls: [], text: 'Done.' } })
  const { traceId, status } = await ask(gateway.url)
  equal(status, 200)
  const spans = tracing ? await host.whole(traceId) : []
  const named = (name: string) => {
    const span = spans.find((each) => each.name === name)
    return `00-${traceId}-${span?.spanContext().spanId}-01`
  }
  const turns = arrayOf(objectOf(gateway.upstream.requests[1]?.json).messages)
  const [result] = arrayOf(objectOf(turns.at(-1)).content)
  const [{ text }] = arrayOf(objectOf(result).content).map(objectOf) as [{ text: string }]
  await gateway.close()
  return {
    parents: {
      initialize: named('StreamableHTTPServerProxy.Init'),
      'tools/list': named('StreamableHTTPServerProxy.Init.fetchTools'),
      'tools/call': named('Intercept.ProcessRequest.ToolCall'),
    },
    meta: requestsOf(JSON.parse(text)),
  }
}

function requestsOf(told: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(told).filter(([method]) => !/^notif/.test(method)))
}

function metaOf(parents: Readonly<Record<string, string>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(parents).map(([method, traceparent]) => [
      method,
      { traceparent, tracestate: 'vendor=1', baggage: 'team=blue' },
    ]),
  )
}

async function ask(url: string) {
  const { tools: _, ...question } = routes.messages.ask
  const traceId = randomBytes(16).toString('hex')
  const reply = await fetch(`${url}${routes.messages.path}`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'x-api-key': 'key',
      traceparent: `00-${traceId}-${clientSpan}-01`,
      tracestate: 'vendor=1',
      baggage: 'team=blue',
    },
    body: JSON.stringify(question),
  })
  match(await reply.text(), /"type":"message"/)
  return { traceId, status: reply.status }
}

/** A server of MCP's own SDK, over Streamable HTTP. */
async function httpServer() {
  const headers = new Map<string, IncomingHttpHeaders>()
  const transports = new Map<string, StreamableHTTPServerTransport>()
  const waiting = new Map<string, (headers: IncomingHttpHeaders) => void>()
  const server = createServer(async (request, response) => {
    const body = request.method === 'POST' ? await json(request) : undefined
    const { method } = objectOf(body)
    if (typeof method === 'string') {
      headers.set(method, request.headers)
      waiting.get(method)?.(request.headers)
    }
    let transport = transports.get(String(request.headers['mcp-session-id']))
    if (!transport) {
      const made = new StreamableHTTPServerTransport({
        sessionIdGenerator: () => randomUUID(),
        onsessioninitialized: (id) => void transports.set(id, made),
      })
      await serveEcho(made as Transport)
      transport = made
    }
    await transport.handleRequest(request, response, body)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}/mcp`,
    headers,
    heard: (method: string) =>
      new Promise<IncomingHttpHeaders>((resolve) => waiting.set(method, resolve)),
    changeTools: async () => {
      const note = { jsonrpc: '2.0' as const, method: 'notifications/tools/list_changed' }
      for (const transport of transports.values()) await transport.send(note)
    },
    close: () => {
      server.closeAllConnections()
      server.close()
    },
  }
}
