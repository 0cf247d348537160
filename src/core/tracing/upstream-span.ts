import { type Attributes, SpanKind } from '@opentelemetry/api'
import { errorTypeOf } from '../error-type.ts'
import { SluiceError } from '../errors.ts'
import type { EventOf, InterceptionEvent } from '../events.ts'
import type { Round } from '../format.ts'
import { outcomeOf } from '../outcome-of.ts'
import type { Send, UpstreamRequest } from '../upstream.ts'
import { OutputContent } from './output-content.ts'
import { sendWithin } from './propagate.ts'
import type { RequestAttributes } from './request-attributes.ts'
import type { SafeSpan } from './safe-span.ts'
import type { Semconv } from './tracing.ts'

export interface UpstreamFacts {
  /** Of the interception: the same on all of its spans. */
  readonly attributes: Attributes
  /** GenAI: known before the call. */
  readonly known: Attributes
  readonly request: RequestAttributes
  readonly semconv: Semconv
  readonly content: boolean
}

/** The span of one upstream call, from the request to the end of its reply. */
export class UpstreamSpan {
  readonly #span: SafeSpan
  readonly #facts: UpstreamFacts
  readonly #sentAt = performance.now()
  readonly #output: OutputContent | null
  #usage: EventOf<'usage'> | undefined
  #round: Round | undefined
  #messageId = ''
  #reasons: string[] = []
  #failure: string | undefined
  #readAt: number | undefined

  constructor(parent: SafeSpan, facts: UpstreamFacts, url: URL) {
    const { attributes, known, request, content } = facts
    const start = { ...attributes, ...request.parameters, ...known, ...serverOf(url) }
    this.#span = parent.child('Intercept.ProcessRequest.Upstream', start, SpanKind.CLIENT)
    this.#facts = facts
    this.#output = content ? new OutputContent() : null
  }

  async send(request: UpstreamRequest, send: Send): Promise<Awaited<ReturnType<Send>>> {
    try {
      const reply = await sendWithin(this.#span.context, request, send)
      const { status } = reply
      this.#span.set({ 'http.response.status_code': status })
      if (status >= 400) this.fail(errorTypeOf(status), `the upstream answered ${status}`)
      return reply
    } catch (error) {
      const { errorType } = outcomeOf(error instanceof SluiceError ? error : null)
      this.fail(errorType, 'the upstream could not be reached or did not answer')
      throw error
    }
  }

  /** What reads the reply, and knows who answers. */
  reading(round: Round): void {
    this.#round = round
  }

  observe(event: InterceptionEvent): void {
    if ('messageId' in event && event.messageId !== '') this.#messageId = event.messageId
    if (event.type === 'usage') this.#usage = event
    else if (event.type === 'finish') this.#reasons[event.choice] = event.reason
    else if (event.type === 'error') this.fail(event.errorType, event.message)
    this.#output?.observe(event)
  }

  /** The model has begun to speak. */
  firstToken(): void {
    if (this.#facts.known['gen_ai.request.stream'] === undefined) return
    const seconds = (performance.now() - this.#sentAt) / 1000
    this.#span.set({ 'gen_ai.response.time_to_first_chunk': seconds })
  }

  /** The reply is read to its end; what it used may be told later. */
  read(): void {
    this.#readAt ??= performance.now()
  }

  get isRead(): boolean {
    return this.#readAt !== undefined
  }

  /** The first failure is the one that counts. Its type is that of the record, and of metrics. */
  fail(type: string, message: string): void {
    if (this.#failure !== undefined) return
    this.#failure = message
    this.#span.set({ 'error.type': type })
    this.#span.fail(message)
  }

  end(): void {
    const { request } = this.#facts
    const reasons = this.#reasons.filter((reason) => reason !== undefined)
    if (reasons.length === 0 && this.#failure !== undefined) reasons.push('error')
    const { messageId = '', origin } = this.#round ?? {}
    const id = messageId || this.#messageId
    this.#span.set({
      ...(id && { 'gen_ai.response.id': id }),
      ...(origin?.model && { 'gen_ai.response.model': origin.model }),
      ...(origin?.fingerprint && { 'openai.response.system_fingerprint': origin.fingerprint }),
      ...(reasons.length > 0 && { 'gen_ai.response.finish_reasons': reasons }),
      ...(this.#usage && usageAttributes(this.#usage, this.#facts)),
    })
    // Behind all else: where a limit bites, content is what goes.
    this.#span.set(request.content)
    this.#span.set(this.#output?.attributes(reasons[0]) ?? {})
    this.#span.end(this.#readAt)
  }
}

/** The convention counts cached tokens as input, records don't. */
function usageAttributes(
  {
    inputTokens,
    outputTokens,
    cacheReadInputTokens: cacheRead,
    cacheWriteInputTokens: cacheWrite,
    metadata,
  }: EventOf<'usage'>,
  { semconv, known }: UpstreamFacts,
): Attributes {
  const {
    reasoning_output_tokens: reasoning,
    audio_input_tokens: audioIn,
    audio_output_tokens: audioOut,
    service_tier: tier,
  } = metadata
  const isOpenai = 'openai.api.type' in known
  const isNew = semconv !== '1.41'
  return {
    'gen_ai.usage.input_tokens': inputTokens + cacheRead + cacheWrite,
    'gen_ai.usage.output_tokens': outputTokens,
    'gen_ai.usage.cache_read.input_tokens': cacheRead,
    ...(semconv !== 'genai-dev' && { 'gen_ai.usage.cache_creation.input_tokens': cacheWrite }),
    ...(isNew && { 'gen_ai.usage.cache_write.input_tokens': cacheWrite }),
    ...(typeof reasoning === 'number' && { 'gen_ai.usage.reasoning.output_tokens': reasoning }),
    ...(isNew && audioIn && { 'gen_ai.usage.audio.input_tokens': audioIn }),
    ...(isNew && audioOut && { 'gen_ai.usage.audio.output_tokens': audioOut }),
    ...(isOpenai && tier !== undefined && { 'openai.response.service_tier': tier }),
  }
}

function serverOf({ protocol, hostname, port }: URL): Attributes {
  return {
    'server.address': hostname,
    'server.port': port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port),
  }
}
