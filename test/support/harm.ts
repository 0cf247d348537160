import { once } from 'node:events'
import { createServer, request as httpRequest } from 'node:http'
import type { AddressInfo } from 'node:net'
import Koa from 'koa'
import type { LogLevel } from '../../src/core/diagnostics.ts'
import { createGateway, type Gateway } from '../../src/core/gateway.ts'
import type { GatewayOptions } from '../../src/core/gateway-options.ts'
import type { Plugin } from '../../src/core/plugin.ts'
import { anthropic } from '../../src/core/providers/anthropic.ts'
import { openai } from '../../src/core/providers/openai.ts'
import type { StoredInterception } from '../../src/core/recorder.ts'
import { memoryRecorder } from '../../src/plugins/memory-recorder.ts'
import { type FakeUpstream, fakeUpstream } from '../../src/simulator/server.ts'

export interface LogLine {
  readonly level: LogLevel
  readonly message: string
  readonly fields: Readonly<Record<string, unknown>> | undefined
}

export interface Got {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly bytes: Buffer
  /** False where the connection was cut before the reply's end. */
  readonly whole: boolean
  /** The interception's. */
  readonly id: string
}

export interface TestGateway {
  readonly url: string
  readonly upstream: FakeUpstream
  readonly gateway: Gateway
  readonly lines: readonly LogLine[]
  /** What the gateway's own memory recorder has of an interception, as soon as its end is there. */
  kept(id: string): Promise<StoredInterception>
  close(): Promise<void>
}

/** A gateway over the simulated provider, on real sockets, with a memory recorder behind the given plugins. */
export async function testGateway(
  plugins: readonly Plugin[],
  options: Partial<GatewayOptions> = {},
): Promise<TestGateway> {
  const upstream = await fakeUpstream({ reply: { answer } })
  const lines: LogLine[] = []
  const memory = memoryRecorder()
  const gateway = createGateway({
    providers: [anthropic({ baseUrl: upstream.url }), openai({ baseUrl: upstream.url })],
    plugins: [...plugins, memory],
    initiator: (ctx) => ctx.get('x-user') || 'tester',
    log: (level, message, fields) => lines.push({ level, message, fields }),
    ...options,
  })
  const koa = new Koa().use(gateway.middleware())
  const server = createServer(koa.callback())
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    upstream,
    gateway,
    lines,
    kept: (id) =>
      until(async () => {
        const stored = await memory.interception(id)
        return stored?.end ? stored : undefined
      }),
    close: async () => {
      server.closeAllConnections()
      server.close()
      await gateway.close()
      await upstream.close()
    },
  }
}

export type FormatPath = 'anthropic_messages' | 'openai_chat' | 'openai_responses'

const paths: Readonly<Record<FormatPath, string>> = {
  anthropic_messages: '/anthropic/v1/messages',
  openai_chat: '/openai/v1/chat/completions',
  openai_responses: '/openai/v1/responses',
}

/** A request's body in its format: one question, asked with the same words. */
function question(format: FormatPath, stream: boolean, text = 'What is the time?'): object {
  if (format === 'openai_responses') return { model: 'm', stream, input: text }
  const messages = [{ role: 'user', content: text }]
  if (format === 'openai_chat') return { model: 'm', stream, messages }
  return { model: 'm', max_tokens: 1000, stream, messages }
}

export interface AskOptions {
  readonly format?: FormatPath
  readonly stream?: boolean
  readonly body?: object
  readonly headers?: Readonly<Record<string, string>>
  /** Told of each read, and of all bytes until then. */
  readonly onData?: (bytes: Buffer) => void
}

/** Asks and reads the reply until it ends, one way or another. */
export async function ask(
  url: string,
  {
    format = 'anthropic_messages',
    stream = true,
    body = question(format, stream),
    headers = {},
    onData,
  }: AskOptions = {},
): Promise<Got> {
  const request = httpRequest(`${url}${paths[format]}`, {
    method: 'POST',
    agent: false,
    headers: {
      'content-type': 'application/json',
      authorization: 'Bearer sk-test-1234567890',
      ...headers,
    },
  })
  request.end(JSON.stringify(body))
  const [response] = await once(request, 'response')
  const chunks: Buffer[] = []
  response.on('data', (chunk: Buffer) => {
    chunks.push(chunk)
    onData?.(Buffer.concat(chunks))
  })
  response.on('error', () => {})
  await new Promise((resolve) => response.once('close', resolve))
  return {
    whole: response.complete,
    status: response.statusCode,
    headers: response.headers,
    bytes: Buffer.concat(chunks),
    id: String(response.headers['x-sluice-interception-id'] ?? ''),
  }
}

/** Asks again, a turn of the loop later, until there is something. */
export async function until<T>(look: () => T | Promise<T>, ms = 5000): Promise<NonNullable<T>> {
  const last = performance.now() + ms
  for (;;) {
    const found = await look()
    if (found) return found
    if (performance.now() > last) throw new Error(`not within ${ms} ms: ${look}`)
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
}

/** What was recorded, less what differs from one run to the next. */
export function essence({ start, end, others: _, ...lists }: StoredInterception): unknown {
  const volatile = /^(id|interceptionId|createdAt|seq|sessionId|startedAt|endedAt|late)$|Ms$/
  return JSON.parse(
    JSON.stringify({ start, end, ...lists, id: undefined }, (key, value) =>
      volatile.test(key) ? undefined : value,
    ),
  )
}

/** Something of everything, so that every capturer has work. */
const answer = {
  thoughts: ['The user wants to know the time.', 'A tool would help.'],
  text: 'Let me look at the clock on the wall, twice.',
  calls: [
    { name: 'clock', input: { zone: 'UTC' } },
    { name: 'clock', input: { zone: 'CET' } },
  ],
}
