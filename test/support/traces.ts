import { equal } from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { type ClientRequest, type IncomingMessage, request } from 'node:http'
import { join } from 'node:path'
import type { ReceivedRequest, Reply } from '../../src/simulator/reply.ts'
import type { FakeUpstream } from '../../src/simulator/server.ts'
import { type GatewayProcess, startGateway, workFolder } from './gateway-process.ts'
import type { ReceivedSpan } from './otlp/messages.ts'
import type { OtlpReceiver } from './otlp/receiver.ts'

/** The span of the client that all traced requests go on from. */
export const clientSpan = '00f067aa0ba902b7'

export interface StartOptions {
  readonly env?: Readonly<Record<string, string>>
  readonly trace?: boolean
  readonly mcpServers?: Readonly<Record<string, unknown>>
}

export interface TracedOptions extends SendOptions {
  readonly gateway: GatewayProcess
  readonly otlp?: Pick<OtlpReceiver, 'spans' | 'until'>
}

export interface SendOptions {
  readonly reply?: Reply
  readonly replies?: readonly Reply[]
  /** Leaves at the first byte of the reply, or before there is one. */
  readonly leave?: 'early' | 'late' | undefined
  readonly traceId?: string
  /** Beside the usual ones. */
  readonly headers?: Readonly<Record<string, string>>
}

export interface Traced {
  readonly status: number
  readonly spans: readonly ReceivedSpan[]
  /** The one span of that name. */
  readonly named: (name: string) => ReceivedSpan
  /** The first request that came upstream. */
  readonly sent: ReceivedRequest
}

/** Gateways, as processes, before one simulated provider and one receiver of their spans. */
export class TracedGateways {
  readonly upstream: FakeUpstream
  readonly otlp: OtlpReceiver
  readonly #started: GatewayProcess[] = []

  constructor(upstream: FakeUpstream, otlp: OtlpReceiver) {
    this.upstream = upstream
    this.otlp = otlp
  }

  async start(
    args: readonly string[] = [],
    { env = {}, trace = true, mcpServers }: StartOptions = {},
  ): Promise<GatewayProcess> {
    const folder = workFolder()
    const file = {
      providers: [
        { name: 'anthropic', type: 'anthropic', baseUrl: this.upstream.url },
        { name: 'openai', type: 'openai', baseUrl: this.upstream.url },
        { name: 'nobody', type: 'anthropic', baseUrl: 'http://127.0.0.1:9' },
      ],
      ...(mcpServers && { mcpServers }),
    }
    writeFileSync(join(folder, 'sluice.config.json'), JSON.stringify(file))
    const own = await startGateway([...(trace ? ['--trace'] : []), ...args], {
      folder,
      env: {
        OTEL_EXPORTER_OTLP_ENDPOINT: this.otlp.url,
        OTEL_BSP_SCHEDULE_DELAY: '50',
        ...env,
      },
    })
    this.#started.push(own)
    return own
  }

  /** Sends a request as part of a new trace, and tells that trace's spans. */
  async traced(
    path: string,
    body: unknown,
    { gateway, otlp = this.otlp, ...options }: TracedOptions,
  ): Promise<Traced> {
    const traceId = randomBytes(16).toString('hex')
    const answer = await this.send(gateway.url, path, body, { ...options, traceId })
    const mine = () => otlp.spans.filter((span) => span.traceId === traceId)
    // They come in the order of their ends.
    await otlp.until(() =>
      mine().some(({ name }) => name === 'Intercept' || name === 'Passthrough'),
    )
    const spans = mine()
    const named = (name: string): ReceivedSpan => {
      const found = spans.filter((span) => span.name === name)
      equal(found.length, 1, `${name} among ${namesOf(spans)}`)
      return found[0] as ReceivedSpan
    }
    return { ...answer, spans, named }
  }

  /** The status is 0 where the client left before one came. */
  async send(
    url: string,
    path: string,
    body: unknown,
    {
      reply,
      replies = reply ? [reply] : [],
      leave,
      traceId = '',
      headers: added = {},
    }: SendOptions = {},
  ): Promise<{ readonly status: number; readonly sent: ReceivedRequest }> {
    const { upstream } = this
    upstream.next(...replies)
    const text = typeof body === 'string' ? body : JSON.stringify(body)
    const before = upstream.requests.length
    const headers = {
      'x-api-key': 'secret-key-of-the-client',
      authorization: 'Bearer secret-key-of-the-client',
      'content-type': 'application/json',
      ...(traceId && { traceparent: `00-${traceId}-${clientSpan}-01`, tracestate: 'vendor=1' }),
      ...added,
    }
    const call = request(`${url}${path}`, { method: body === undefined ? 'GET' : 'POST', headers })
    const status = answered(call, leave === 'late')
    call.end(body === undefined ? undefined : text)
    if (leave === 'early') void upstream.request(before).then(() => call.destroy())
    return { status: await status, sent: upstream.requests[before] as ReceivedRequest }
  }

  async close(): Promise<void> {
    for (const { child } of this.#started) child.kill('SIGKILL')
    await this.otlp.close()
    await this.upstream.close()
  }
}

function answered(call: ClientRequest, leaves: boolean): Promise<number> {
  return new Promise((resolve, reject) => {
    call.on('error', (error) => (call.destroyed ? resolve(0) : reject(error)))
    call.on('response', (response: IncomingMessage) => {
      // A cut reply fails; what its trace says is looked at.
      response.on('error', () => {}).on('close', () => resolve(response.statusCode ?? 0))
      if (leaves) response.once('data', () => response.destroy())
      else response.resume()
    })
  })
}

export function namesOf(spans: readonly ReceivedSpan[]): string[] {
  return spans.map(({ name }) => name).sort()
}

/** The names of those in error. */
export function inError(spans: readonly ReceivedSpan[]): string[] {
  return namesOf(spans.filter(({ status }) => status.code === 2))
}
