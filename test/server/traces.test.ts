import { deepEqual, equal, match, ok } from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, test } from 'node:test'
import { type FakeUpstream, fakeUpstream } from '../../src/simulator/server.ts'
import type { GatewayProcess } from '../support/gateway-process.ts'
import { mcpServer, textResult } from '../support/mcp-server.ts'
import { grpcReceiver, type OtlpReceiver, otlpReceiver } from '../support/otlp/receiver.ts'
import { routes } from '../support/questions.ts'
import {
  clientSpan,
  inError,
  namesOf,
  TracedGateways,
  type TracedOptions,
} from '../support/traces.ts'

let gateways: TracedGateways
let upstream: FakeUpstream
let otlp: OtlpReceiver
let gateway: GatewayProcess

before(async () => {
  upstream = await fakeUpstream({ freshIds: true })
  otlp = await otlpReceiver()
  gateways = new TracedGateways(upstream, otlp)
  gateway = await gateways.start()
})

after(() => gateways.close())

const base = [
  'CachedBridgePool.Acquire',
  'Intercept',
  'Intercept.CreateInterceptor',
  'Intercept.ProcessRequest',
  'Intercept.ProcessRequest.Upstream',
  'Intercept.RecordInterception',
  'Intercept.RecordInterceptionEnded',
  'Intercept.RecordPromptUsage',
]
const answered = [...base, 'Intercept.RecordTokenUsage']
const withTool = [...answered, 'Intercept.RecordToolUsage']

for (const [name, { path, ask }] of Object.entries(routes)) {
  for (const stream of [false, true]) {
    test(`${name}, ${stream ? 'streamed' : 'blocking'}: each step is one span, of the client's trace`, async () => {
      const usage = name === 'chat' && stream && { stream_options: { include_usage: true } }
      const { status, spans, named } = await traced(path, { ...ask, stream, ...usage })
      equal(status, 200)
      const thoughts = name === 'messages' ? ['Intercept.RecordModelThought'] : []
      deepEqual(namesOf(spans), [...withTool, ...thoughts].sort())
      ok(spans.every((span) => span.status.code === 0))
      ok(spans.every((span) => span.end >= span.start))
      const acquire = named('CachedBridgePool.Acquire')
      ok(acquire.start <= named('Intercept').start)
      equal(acquire.parentId, clientSpan)
      equal(named('Intercept').parentId, clientSpan)
      equal(named('Intercept').kind, 2)
      const process = named('Intercept.ProcessRequest')
      for (const { name, parentId } of spans) {
        const within = inProcess.test(name) ? process : named('Intercept')
        if (name.startsWith('Intercept.')) equal(parentId, within.id, name)
      }
      const { interception_id: id, ...attributes } = named('Intercept').attributes
      match(String(id), /^[0-9a-f-]{36}$/)
      deepEqual(attributes, {
        request_path: path,
        user_id: attributes.user_id,
        provider: path.split('/')[1],
        model: 'test-model',
        streaming: stream,
        ...(name === 'messages' && { aws_bedrock: false }),
      })
      equal(named('Intercept').resource['service.name'], 'sluice')
    })
  }
}

test('the upstream span says what the GenAI conventions want, and its context goes upstream', async () => {
  const { path, ask } = routes.messages
  const used = { total: 900, cacheRead: 500, cacheWrite: 300, output: 70, reasoning: 0 }
  const body = { ...ask, stream: true, temperature: 0.5 }
  const { named, sent } = await traced(path, body, { reply: { answer: { usage: used } } })
  const { attributes, id, traceId, kind } = named('Intercept.ProcessRequest.Upstream')
  equal(sent.headers.traceparent, `00-${traceId}-${id}-01`)
  equal(sent.headers.tracestate, 'vendor=1')
  equal(kind, 3)
  equal(attributes['gen_ai.operation.name'], 'chat')
  equal(attributes['gen_ai.provider.name'], 'anthropic')
  equal(attributes['gen_ai.request.model'], 'test-model')
  equal(attributes['gen_ai.request.temperature'], 0.5)
  equal(attributes['gen_ai.request.max_tokens'], 1000)
  equal(attributes['gen_ai.request.stream'], true)
  equal(attributes['server.address'], '127.0.0.1')
  equal(attributes['server.port'], upstream.port)
  deepEqual(attributes['gen_ai.response.finish_reasons'], ['tool_use'])
  match(String(attributes['gen_ai.response.id']), /^msg_/)
  ok(Number(attributes['gen_ai.response.time_to_first_chunk']) > 0)
  equal(attributes['gen_ai.conversation.id'], undefined)
  equal(attributes['gen_ai.input.messages'], undefined)
  const usage = await usageOf(String(attributes.interception_id))
  equal(
    attributes['gen_ai.usage.input_tokens'],
    usage.input_tokens + usage.cache_read_input_tokens + usage.cache_write_input_tokens,
  )
  equal(attributes['gen_ai.usage.input_tokens'], 900)
  equal(attributes['gen_ai.usage.output_tokens'], usage.output_tokens)
  equal(attributes['gen_ai.usage.cache_creation.input_tokens'], usage.cache_write_input_tokens)
})

test('an upstream that refuses: no usage, and what failed is in error', async () => {
  for (const stream of [false, true]) {
    const { path, ask } = routes.chat
    const { status, spans } = await traced(path, { ...ask, stream }, { reply: { status: 429 } })
    equal(status, 429)
    deepEqual(namesOf(spans), [...base].sort())
    deepEqual(inError(spans), failedUpstream)
  }
})

test('an error amid a stream, and one that breaks off: spans end in error, with what was seen', async () => {
  const { path, ask } = routes.messages
  for (const reply of [{ error: 3 }, { cut: 3 }]) {
    const { spans, named } = await traced(path, { ...ask, stream: true }, { reply })
    deepEqual(inError(spans), failedUpstream)
    ok(namesOf(spans).includes('Intercept.RecordTokenUsage'))
    const { attributes } = named('Intercept.ProcessRequest.Upstream')
    deepEqual(attributes['gen_ai.response.finish_reasons'], ['error'])
    ok(attributes['error.type'])
    ok(Number(attributes['gen_ai.usage.input_tokens']) > 0)
  }
})

test('a provider that is not there: the upstream span is in error', async () => {
  const { spans, status } = await traced('/nobody/v1/messages', routes.messages.ask)
  equal(status, 502)
  deepEqual(inError(spans), failedUpstream)
})

test('a client that leaves: all spans end, in error', async () => {
  const { path, ask } = routes.messages
  const { spans } = await traced(
    path,
    { ...ask, stream: true },
    { reply: { stall: 2 }, leave: 'late' },
  )
  deepEqual(inError(spans), failedUpstream)
})

test('a request that is refused by us: no upstream span', async () => {
  const own = await gateways.start(['--no-allow-byok'])
  const { path, ask } = routes.messages
  const { spans, status } = await traced(path, ask, { gateway: own })
  equal(status, 403)
  deepEqual(namesOf(spans), base.filter((name) => !name.endsWith('Upstream')).sort())
  deepEqual(inError(spans), [
    'Intercept',
    'Intercept.CreateInterceptor',
    'Intercept.ProcessRequest',
  ])
})

test('a body that is no JSON: nothing is created', async () => {
  const { spans, status } = await traced(routes.chat.path, 'no json')
  equal(status, 400)
  deepEqual(namesOf(spans), [
    'CachedBridgePool.Acquire',
    'Intercept',
    'Intercept.CreateInterceptor',
  ])
  deepEqual(inError(spans), ['Intercept', 'Intercept.CreateInterceptor'])
})

test('what is passed through is one span with three attributes, and no query', async () => {
  const { spans, sent } = await traced('/openai/v1/models?key=canary-in-a-query', undefined)
  deepEqual(namesOf(spans), ['Passthrough'])
  deepEqual(spans[0]?.attributes, {
    passthrough_url: '/v1/models',
    passthrough_method: 'GET',
    passthrough_upstream_url: `${upstream.url}/v1/models`,
  })
  equal(sent.headers.traceparent, `00-${spans[0]?.traceId}-${spans[0]?.id}-01`)
  ok(!otlp.text().includes('canary-in-a-query'))
})

test('no key, prompt or argument is in any span unless content is asked for', () => {
  const text = otlp.text()
  for (const secret of ['secret-key-of-the-client', 'What is the weather', '"city"'])
    ok(!text.includes(secret), secret)
  ok(text.includes('test-model'))
})

test('rounds with injected tools: an upstream span each, one for each call, and those of connecting', async () => {
  const mcp = await mcpServer({
    tools: () => [{ name: 'say', inputSchema: { type: 'object' } }],
    call: ({ args }) =>
      args.bad
        ? { result: { ...(textResult('no').result as object), isError: true } }
        : textResult('yes'),
  })
  after(() => mcp.close())
  const own = await gateways.start(['--trace-content', '--semconv', 'both'], {
    mcpServers: { test: { url: mcp.url } },
  })
  const { path, ask } = routes.messages
  const call = (input: object) => ({ answer: { calls: [{ name: 'bmcp_test_say', input }] } })
  const done = { answer: { text: 'Done.', calls: [] } }
  const replies = [call({ word: 'x'.repeat(200) }), call({ bad: true }), done]
  const { status, spans, named } = await traced(
    path,
    { model: ask.model, max_tokens: 1000, messages: ask.messages, stream: true },
    { replies, gateway: own },
  )
  equal(status, 200)
  const times = (name: string) => spans.filter((span) => span.name === name)
  const upstreams = times('Intercept.ProcessRequest.Upstream')
  equal(upstreams.length, 3)
  equal(times('Intercept.RecordTokenUsage').length, 3)
  equal(times('Intercept.RecordToolUsage').length, 2)
  const calls = times('Intercept.ProcessRequest.ToolCall')
  deepEqual(
    calls.map(({ status }) => status.code),
    [0, 2],
  )
  equal(calls[0]?.attributes.mcp_tool_name, 'say')
  equal(calls[0]?.attributes.mcp_server_name, 'test')
  equal(calls[0]?.attributes.mcp_server_url, mcp.url)
  equal(String(calls[0]?.attributes.mcp_input).length, 100)
  equal(calls[0]?.attributes['gen_ai.operation.name'], 'execute_tool')
  equal(calls[0]?.attributes['gen_ai.tool.name'], 'say')
  equal(calls[0]?.attributes['gen_ai.tool.type'], 'function')
  match(String(calls[0]?.attributes['gen_ai.tool.call.id']), /^toolu_/)
  ok(String(calls[0]?.attributes['gen_ai.tool.call.arguments']).length > 200)
  equal(calls[0]?.attributes['gen_ai.tool.call.result'], 'yes')
  equal(calls[0]?.attributes['error.type'], undefined)
  equal(calls[1]?.attributes['error.type'], 'tool_error')
  // A round ends before its tools run; the clock of each span is exact to a millisecond.
  ok(upstreams[0] && calls[0] && upstreams[0].end < calls[0].end)
  ok(upstreams.every(({ attributes }) => Number(attributes['gen_ai.usage.input_tokens']) > 0))
  const manager = named('ServerProxyManager.Init')
  equal(manager.parentId, named('CachedBridgePool.Acquire').id)
  equal(named('StreamableHTTPServerProxy.Init').parentId, manager.id)
  const fetched = named('StreamableHTTPServerProxy.Init.fetchTools')
  equal(fetched.parentId, named('StreamableHTTPServerProxy.Init').id)
  equal(fetched.attributes.mcp_tool_count, 1)
  const last = upstreams[2]?.attributes ?? {}
  ok('gen_ai.usage.cache_write.input_tokens' in last)
  ok('gen_ai.usage.cache_creation.input_tokens' in last)
  match(String(last['gen_ai.output.messages']), /"content":"Done\."/)
  match(String(last['gen_ai.input.messages']), /What is the weather in Oslo/)
})

test('content is cut in bytes, and not there where content is not recorded', async () => {
  const { ask, path } = routes.chat
  const messages = [{ role: 'user', content: 'ü"'.repeat(30_000) }]
  const full = await gateways.start(['--trace-content'])
  const { named } = await traced(path, { ...ask, messages }, { gateway: full })
  const { attributes } = named('Intercept.ProcessRequest.Upstream')
  const text = String(attributes['gen_ai.input.messages'])
  ok(Buffer.byteLength(text) <= 16 * 1024, String(Buffer.byteLength(text)))
  ok(Buffer.byteLength(text) > 8 * 1024)
  ok(Array.isArray(JSON.parse(text)))
  ok('gen_ai.tool.definitions' in attributes)
  const bare = await gateways.start(['--trace-content', '--no-record-content'])
  const without = await traced(path, ask, { gateway: bare })
  const { attributes: none } = without.named('Intercept.ProcessRequest.Upstream')
  equal(none['gen_ai.input.messages'], undefined)
  equal(none['gen_ai.output.messages'], undefined)
})

test('with trace-logs lines of an interception are events of its span', async () => {
  for (const args of [[], ['--log-format', 'json']]) {
    const own = await gateways.start(['--trace-logs', ...args])
    const { named } = await traced(routes.chat.path, routes.chat.ask, { gateway: own })
    const lines = named('Intercept').events
    equal(lines.length, 1, JSON.stringify(lines))
    equal(lines[0]?.attributes['log.severity'], 'info')
    ok(!own.output().stderr.includes('interception_id=') || args.length > 0)
  }
})

test('a shutdown exports what waits, of every worker', async () => {
  const own = await gateways.start(['--workers', '2'], {
    env: { OTEL_BSP_SCHEDULE_DELAY: '3600000' },
  })
  const ids = await Promise.all(
    Array.from({ length: 6 }, async () => {
      const traceId = randomBytes(16).toString('hex')
      await gateways.send(own.url, routes.chat.path, routes.chat.ask, { traceId })
      return traceId
    }),
  )
  equal(await own.stop(), 0)
  for (const id of ids)
    ok(otlp.spans.some(({ traceId, name }) => traceId === id && name === 'Intercept'))
})

test('a collector that is away ends no request and no shutdown', async () => {
  const env = {
    OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9',
    OTEL_EXPORTER_OTLP_TIMEOUT: '500',
  }
  const own = await gateways.start([], { env })
  equal((await gateways.send(own.url, routes.chat.path, routes.chat.ask, {})).status, 200)
  match(await own.line(/telemetry: /), /telemetry: [^{]+ECONNREFUSED[^{]+$/)
  equal(await own.stop(), 0)
})

test('whatever the SDK is told to print, standard output is the one line', async () => {
  const env = {
    OTEL_LOG_LEVEL: 'debug',
    OTEL_TRACES_EXPORTER: 'console',
  }
  const own = await gateways.start([], { env })
  equal((await gateways.send(own.url, routes.chat.path, routes.chat.ask, {})).status, 200)
  await own.line(/name: 'Intercept\.ProcessRequest\.Upstream'/)
  equal(await own.stop(), 0)
  equal(own.output().stdout, `sluice listening on ${own.url}\n`)
})

test('without trace the client’s own traceparent goes upstream as any header', async () => {
  const own = await gateways.start(['--no-trace'])
  const traceId = randomBytes(16).toString('hex')
  const { sent } = await gateways.send(own.url, routes.chat.path, routes.chat.ask, { traceId })
  equal(sent.headers.traceparent, `00-${traceId}-${clientSpan}-01`)
  equal(await own.stop(), 0)
  ok(!otlp.spans.some((span) => span.traceId === traceId))
})

test('no key of the command line is told to a collector', async () => {
  const receiver = await otlpReceiver()
  const token = 'canary-of-a-flag-0123456789-0123456789'
  const flags = ['--auth', 'tokens', '--bootstrap-token', token, '--otel-logs']
  const env = { OTEL_NODE_RESOURCE_DETECTORS: 'all', OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url }
  const own = await gateways.start(flags, { env })
  const headers = { 'x-sluice-token': token }
  const options = { gateway: own, headers, otlp: receiver }
  const { named } = await traced(routes.chat.path, routes.chat.ask, options)
  const { resource } = named('Intercept')
  ok(resource['process.pid'])
  equal(resource['process.command_args'], undefined)
  equal(await own.stop(), 0)
  ok(receiver.logs.length > 0)
  ok(!receiver.text().includes('canary-of-a-flag'))
  await receiver.close()
})

test('spans go out over gRPC, too, and SLUICE_TRACE_ENABLE turns them on', async () => {
  const grpc = await grpcReceiver()
  const own = await gateways.start([], {
    trace: false,
    env: {
      SLUICE_TRACE_ENABLE: 'true',
      OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc',
      OTEL_EXPORTER_OTLP_ENDPOINT: grpc.url,
      OTEL_SERVICE_NAME: 'mine',
    },
  })
  const { spans } = await traced(routes.chat.path, routes.chat.ask, { gateway: own, otlp: grpc })
  deepEqual(namesOf(spans), [...withTool].sort())
  equal(spans[0]?.resource['service.name'], 'mine')
  await grpc.close()
})

test('otel-logs exports each record as its log line says it', async () => {
  const env = { OTEL_BLRP_SCHEDULE_DELAY: '50' }
  const own = await gateways.start(['--otel-logs', '--log-content', 'omit'], { trace: false, env })
  await gateways.send(own.url, routes.messages.path, routes.messages.ask, {})
  const types = () => otlp.logs.map(({ attributes }) => attributes.record_type)
  await otlp.until(() => types().includes('interception_end'))
  deepEqual(
    new Set(types()),
    new Set([
      'interception_start',
      'prompt_usage',
      'token_usage',
      'tool_usage',
      'model_thought',
      'interception_end',
    ]),
  )
  ok(otlp.logs.every(({ body }) => body === 'interception log'))
  ok(!otlp.text().includes('secret-key-of-the-client'))
  const usage = otlp.logs.find(({ attributes }) => attributes.record_type === 'token_usage')
  ok(Number(usage?.attributes.input_tokens) > 0)
})

const inProcess =
  /^Intercept\.(ProcessRequest\..*|Record(Prompt|Token|Tool)Usage|RecordModelThought)$/
const failedUpstream = [
  'Intercept',
  'Intercept.ProcessRequest',
  'Intercept.ProcessRequest.Upstream',
]

/** A request of a new trace, to the gateway that all tests share where none is named. */
function traced(path: string, body: unknown, options: Partial<TracedOptions> = {}) {
  return gateways.traced(path, body, { gateway, ...options })
}

async function usageOf(id: string) {
  const response = await fetch(`${gateway.url}/api/v2/aibridge/interceptions/${id}`)
  // biome-ignore lint/suspicious/noExplicitAny: what the API answers
  const { token_usages: usages } = (await response.json()) as any
  equal(usages.length, 1)
  return usages[0]
}
