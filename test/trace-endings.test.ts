import { deepEqual, equal, match, ok } from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { request } from 'node:http'
import { after, test } from 'node:test'
import type { GatewayOptions } from '../src/core/gateway-options.ts'
import type { Reply } from '../src/simulator/reply.ts'
import { startGateway, type TestGateway } from './support/gateway.ts'
import { hostTracing } from './support/host-tracing.ts'
import { routes } from './support/questions.ts'

const host = hostTracing()
after(() => host.stop())

interface Ending {
  readonly reply?: Reply
  readonly options?: Partial<GatewayOptions>
  /** Done by the client or to the gateway: as soon as the request is upstream, or a part of the reply is here. */
  readonly amid?: 'leave early' | 'leave late' | 'close early' | 'close late'
  readonly body?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly method?: string
  readonly path?: string
  /** A trailing `!` marks those in error. Those of records of usage, tools and thoughts aside. */
  readonly spans: readonly string[]
  /** Of the record of its end, if there is one. */
  readonly outcome?: string
  /** Of the upstream span, and of the record where it has one. */
  readonly errorType?: string
  readonly status: number
}

const created = ['CachedBridgePool.Acquire', 'Intercept.CreateInterceptor', 'RecordInterception']
const recorded = [...created, 'RecordInterceptionEnded', 'RecordPromptUsage']
const failed = [...recorded, 'Intercept!', 'ProcessRequest!', 'Upstream!']
const unread = ['CachedBridgePool.Acquire', 'Intercept!', 'Intercept.CreateInterceptor!']

/** What is the same for streams and whole replies. */
const endings: Readonly<Record<string, Ending>> = {
  'a client that leaves before the reply': {
    reply: { stall: true },
    amid: 'leave early',
    spans: failed,
    outcome: 'client_gone',
    errorType: 'client_gone',
    status: 0,
  },
  'an upstream that refuses the request': {
    reply: { status: 400 },
    spans: failed,
    outcome: 'failed',
    errorType: 'bad_request',
    status: 400,
  },
  'an upstream that is overloaded': {
    reply: { status: 529 },
    spans: failed,
    outcome: 'failed',
    errorType: 'overloaded',
    status: 529,
  },
  'an upstream that hangs up': {
    reply: { cut: true },
    spans: failed,
    outcome: 'failed',
    errorType: 'unreachable',
    status: 502,
  },
  'an upstream that never answers': {
    reply: { stall: true },
    options: { upstreamHeadersTimeout: 50 },
    spans: failed,
    outcome: 'timed_out',
    errorType: 'timeout',
    status: 504,
  },
  'a shutdown before the reply': {
    reply: { stall: true },
    amid: 'close early',
    spans: failed,
    outcome: 'aborted',
    errorType: 'aborted',
    status: 503,
  },
  'a request for which there is no key': {
    options: { allowByok: false },
    spans: [
      'CachedBridgePool.Acquire',
      'Intercept!',
      'Intercept.CreateInterceptor!',
      'ProcessRequest!',
      'RecordInterception',
      'RecordInterceptionEnded',
      'RecordPromptUsage',
    ],
    outcome: 'rejected',
    errorType: 'forbidden',
    status: 403,
  },
  'a request of nobody': { options: { initiator: () => undefined }, spans: [], status: 403 },
  'a method that is not taken': { method: 'GET', body: '', spans: [], status: 405 },
  'a body that is no JSON': { body: '{"model', spans: unread, status: 400 },
  'a body that is too large': { options: { maxBodySize: 10 }, spans: unread, status: 413 },
  'a body in an encoding that is not read': {
    headers: { 'content-encoding': 'snappy' },
    spans: unread,
    status: 415,
  },
}

const ofStreams: Readonly<Record<string, Ending>> = {
  'a client that leaves': {
    reply: { stall: 3 },
    amid: 'leave late',
    spans: failed,
    outcome: 'client_gone',
    errorType: 'client_gone',
    status: 200,
  },
  'a client that leaves, but its reply is read to the end': {
    reply: { delay: 1 },
    amid: 'leave late',
    options: { disconnect: 'drain' },
    spans: [...recorded, 'Intercept!', 'ProcessRequest!', 'Upstream'],
    outcome: 'client_gone',
    status: 200,
  },
  'a connection that is reset': {
    reply: { cut: 3 },
    spans: failed,
    outcome: 'upstream_cut',
    errorType: 'upstream_cut',
    status: 200,
  },
  'a stream that ends before its end': {
    reply: { cut: 3, how: 'end' },
    spans: failed,
    outcome: 'upstream_cut',
    errorType: 'upstream_cut',
    status: 200,
  },
  'a stream that falls silent': {
    reply: { stall: 3 },
    options: { upstreamIdleTimeout: 50 },
    spans: failed,
    outcome: 'timed_out',
    errorType: 'timeout',
    status: 200,
  },
  'a shutdown': {
    reply: { stall: 3 },
    amid: 'close late',
    spans: failed,
    outcome: 'aborted',
    errorType: 'aborted',
    status: 200,
  },
}

const ofWholeReplies: Readonly<Record<string, Ending>> = {
  'a body that breaks off': {
    reply: { cutBytes: 30 },
    spans: failed,
    outcome: 'upstream_cut',
    errorType: 'upstream_cut',
    status: 200,
  },
  'a body that is no JSON to its end': {
    reply: { badJson: 0 },
    spans: failed,
    outcome: 'failed',
    errorType: 'unknown',
    status: 200,
  },
}

const passed: Readonly<Record<string, Ending>> = {
  'an answer': { spans: ['Passthrough'], status: 200 },
  'an answer that is an error': { reply: { status: 500 }, spans: ['Passthrough'], status: 500 },
  'an upstream that hangs up': { reply: { cut: true }, spans: ['Passthrough!'], status: 502 },
  'an answer that breaks off': { reply: { cutBytes: 9 }, spans: ['Passthrough!'], status: 200 },
  'a client that leaves': {
    reply: { stall: true },
    amid: 'leave early',
    spans: ['Passthrough!'],
    status: 0,
  },
  'an upstream that never answers': {
    reply: { stall: true },
    options: { upstreamHeadersTimeout: 50 },
    spans: ['Passthrough!'],
    status: 504,
  },
  'a request of nobody': { options: { initiator: () => undefined }, spans: [], status: 403 },
  'no such route': { path: '/openai/v1/nothing', spans: [], status: 404 },
}

for (const [format, { path, ask }] of Object.entries(routes)) {
  for (const stream of [true, false]) {
    const all = { ...endings, ...(stream ? ofStreams : ofWholeReplies) }
    for (const [name, ending] of Object.entries(all)) {
      test(`${format}, ${stream ? 'streamed' : 'blocking'}, ${name}: all spans end, and say how`, () =>
        check({ path, body: JSON.stringify({ ...ask, stream }), ...ending }))
    }
  }
}

for (const [name, ending] of Object.entries(passed)) {
  test(`passed through, ${name}: its span ends, and says how`, () =>
    check({ path: '/openai/v1/models', method: 'GET', body: '', ...ending }))
}

test('a response in the background is passed through within the spans of reading it', () =>
  check({
    path: routes.responses.path,
    body: JSON.stringify({ ...routes.responses.ask, background: true }),
    spans: ['CachedBridgePool.Acquire', 'Intercept', 'Intercept.CreateInterceptor', 'Passthrough'],
    status: 200,
  }))

test('a tool that runs while the client leaves: its span ends in error, too', async () => {
  const { promise: called, resolve: call } = Promise.withResolvers<void>()
  const { mcpServer } = await import('./support/mcp-server.ts')
  const mcp = await mcpServer({ call: () => call() })
  const answer = { calls: [{ name: 'bmcp_test_echo', input: {} }] }
  const gateway = await startGateway({
    tracing: true,
    mcp: { servers: { test: { url: mcp.url } } },
    upstream: { reply: { answer } },
  })
  const { tools: _, ...ask } = routes.messages.ask
  const traceId = randomBytes(16).toString('hex')
  const sent = send(gateway, { ...routes.messages, body: JSON.stringify(ask) }, traceId)
  await called
  sent.leave()
  await sent.status
  const spans = await host.whole(traceId)
  const tool = spans.find(({ name }) => name === 'Intercept.ProcessRequest.ToolCall')
  equal(tool?.status.code, 2)
  match(String(tool?.status.message), /cancelled/)
  deepEqual(host.open(), [])
  await gateway.close()
  await mcp.close()
})

async function check({ status, spans, outcome, errorType, ...ending }: Ending): Promise<void> {
  const gateway = await startGateway({ tracing: true, ...ending.options })
  try {
    const traceId = randomBytes(16).toString('hex')
    const sent = send(gateway, ending, traceId)
    equal(await sent.status, status)
    if (spans.length === 0) {
      deepEqual(host.open(), [])
      ok(!host.ended.some((span) => span.spanContext().traceId === traceId))
      return
    }
    const told = await host.whole(traceId)
    const names = told.map(({ name, status: { code } }) => `${short(name)}${code === 2 ? '!' : ''}`)
    deepEqual(names.filter((name) => !ofReplies.test(name)).sort(), [...spans].sort())
    deepEqual(host.open(), [])
    if (outcome === undefined) return
    const { end } = await gateway.ended(0)
    equal(end.outcome, outcome)
    const upstream = told.find(({ name }) => name.endsWith('Upstream'))
    if (upstream) equal(upstream.attributes['error.type'], errorType)
    if (end.errorType && errorType)
      equal(end.errorType === 'unknown' ? errorType : end.errorType, errorType)
  } finally {
    await gateway.close()
  }
}

function send(
  gateway: TestGateway,
  { reply, amid, body, method = 'POST', headers = {}, path = '' }: Partial<Ending>,
  traceId: string,
): { readonly status: Promise<number>; leave(): void } {
  if (reply) gateway.upstream.next(reply)
  const call = request(`${gateway.url}${path}`, {
    method,
    headers: {
      'content-type': 'application/json',
      'x-api-key': 'key',
      authorization: 'Bearer key',
      traceparent: `00-${traceId}-00f067aa0ba902b7-01`,
      ...headers,
    },
  })
  const leave = () => void call.destroy()
  const act = () => (amid?.startsWith('leave') ? leave() : void gateway.gateway.close())
  const status = new Promise<number>((resolve) => {
    call.on('error', () => resolve(0))
    call.on('response', (response) => {
      response.on('error', () => {}).on('close', () => resolve(response.statusCode ?? 0))
      if (amid?.endsWith('late')) response.once('data', act)
      else response.resume()
    })
  })
  if (amid?.endsWith('early')) void gateway.upstream.request(0).then(act)
  call.end(body)
  return { status, leave }
}

/** What of a reply came before it broke off depends on the format, and on how much of it was sent. */
const ofReplies = /^Record(TokenUsage|ToolUsage|ModelThought)$/

function short(name: string): string {
  return name
    .replace(/^Intercept\.(Record|ProcessRequest$)/, '$1')
    .replace('Intercept.ProcessRequest.', '')
}
