import { type Attributes, context, SpanKind } from '@opentelemetry/api'
import { messageOf } from '../errors.ts'
import { bitOf } from '../event-mask.ts'
import type { InterceptionEvent } from '../events.ts'
import type { Round } from '../format.ts'
import type { Initiator } from '../interception.ts'
import type { InterceptionEnd, InterceptionStart, RecordType } from '../records.ts'
import type { RawHeaders, Reply, Send, UpstreamRequest } from '../upstream.ts'
import type { LeafSpan } from './leaf-span.ts'
import { callerOf, sendWithin } from './propagate.ts'
import type { RequestAttributes, RequestTraceOptions } from './request-attributes.ts'
import { SafeSpan } from './safe-span.ts'
import { ToolSpan, type ToolSpanFacts } from './tool-span.ts'
import type { Tracing } from './tracing.ts'
import { UpstreamSpan } from './upstream-span.ts'

export interface RequestTraceFacts {
  readonly headers: RawHeaders
  /** Without its query. */
  readonly path: string
  readonly initiator: Initiator
  readonly provider: string
}

/** The spans of one request of an intercepted route; there is none where nothing is traced. */
export class RequestTrace {
  /** `CachedBridgePool.Acquire`. */
  readonly acquire: SafeSpan
  readonly #tracing: Tracing
  readonly #intercept: SafeSpan
  readonly #create: LeafSpan
  #attributes: Attributes
  #known: Attributes = {}
  #request: RequestAttributes = { parameters: {}, content: {} }
  #process: SafeSpan | undefined
  #upstream: UpstreamSpan | undefined
  #id = ''
  #recordedAt = 0

  constructor(tracing: Tracing, { headers, path, initiator, provider }: RequestTraceFacts) {
    const { tracer } = tracing
    const { parent, host } = callerOf(headers)
    const { id, apiKeyId } = initiator
    this.#tracing = tracing
    this.#attributes = { request_path: path, user_id: id, provider }
    this.acquire = new SafeSpan(tracer, 'CachedBridgePool.Acquire', parent, {
      attributes: { user_id: id, ...(apiKeyId !== undefined && { api_key_id: apiKeyId }) },
    })
    this.#intercept = new SafeSpan(tracer, 'Intercept', parent, {
      kind: host ? SpanKind.INTERNAL : SpanKind.SERVER,
      attributes: this.#attributes,
    })
    this.#create = this.#intercept.leaf('Intercept.CreateInterceptor', this.#attributes)
  }

  /** What is to be read of the request's body for the spans. */
  get wanted(): RequestTraceOptions {
    const { semconv, content } = this.#tracing
    return { dev: semconv !== '1.41', content: content && this.#intercept.isRecorded }
  }

  /** Runs what is to be within `Intercept` also for others: a host's instrumentation, log lines. */
  within<T>(run: () => T): T {
    return context.with(this.#intercept.context, run)
  }

  /** The tools are on their way; null where there are none. */
  acquiring(tools: Promise<unknown> | null): void {
    if (!tools) return this.acquire.end()
    tools.then(
      () => this.acquire.end(),
      (error) => {
        this.acquire.fail(messageOf(error))
        this.acquire.end()
      },
    )
  }

  /** Which events it looks at. */
  get mask(): number {
    if (!this.#intercept.isRecorded) return 0
    return this.#tracing.content ? looked | contentBits : looked
  }

  /** Nothing came of it: an interception that is refused unread, or a request that is passed through. */
  notCreated(error: string | null): void {
    if (error === null) return
    this.#create.fail(error)
    this.#intercept.fail(`interception failed: ${error}`)
  }

  /** `fault`: why it will be refused. */
  created(
    id: string,
    start: InterceptionStart,
    { request, fault }: { request: RequestAttributes | undefined; fault: string | null },
  ): void {
    const { model, streaming, format } = start
    const added: Attributes = { interception_id: id, model, streaming }
    // The reference marks what went to Amazon Bedrock, which is no provider here.
    if (format === 'anthropic_messages') added.aws_bedrock = false
    this.#id = id
    this.#attributes = { ...this.#attributes, ...added }
    this.#known = knownAttributes(start)
    if (request) this.#request = request
    this.#intercept.set(added)
    this.#create.set(this.#attributes)
    if (fault !== null) this.#create.fail(fault)
    this.#create.end()
    this.#tracing.live?.set(id, this.#intercept)
  }

  /** The start is recorded: from here on it is processed. */
  process(): void {
    this.#process = this.#intercept.child('Intercept.ProcessRequest', this.#attributes)
  }

  /** Sends one upstream request: a round begins, the one before is over. */
  send(request: UpstreamRequest, send: Send): Promise<Reply> {
    if (!this.#intercept.isRecorded) return sendWithin(this.#intercept.context, request, send)
    this.#upstream?.end()
    const { semconv, content } = this.#tracing
    const facts = { attributes: this.#attributes, known: this.#known, request: this.#request }
    const parent = this.#process ?? this.#intercept
    this.#upstream = new UpstreamSpan(parent, { ...facts, semconv, content }, request.url)
    return this.#upstream.send(request, send)
  }

  /** The round's reply is read by this. */
  reading(round: Round): void {
    this.#upstream?.reading(round)
  }

  observe(events: readonly InterceptionEvent[]): void {
    for (const event of events) this.#upstream?.observe(event)
  }

  firstToken(): void {
    this.#upstream?.firstToken()
  }

  /** The reply of the round is read to its end. */
  roundRead(): void {
    this.#upstream?.read()
  }

  /** A tool of ours that is run. */
  toolCall(call: ToolSpanFacts['call'], tool: ToolSpanFacts['tool']): ToolSpan {
    const { content } = this.#tracing
    const facts = { attributes: this.#attributes, call, tool, content }
    return new ToolSpan(this.#process ?? this.#intercept, facts)
  }

  /** A record that is handed to the recorders; null for those that have no span. */
  recording(type: RecordType): LeafSpan | null {
    const name = recordSpans[type]
    if (name === undefined) return null
    if (type === 'interception_end') {
      this.#process?.end()
      this.#recordedAt = performance.now()
    }
    const isEdge = type === 'interception_end' || type === 'interception_start'
    const parent = isEdge ? this.#intercept : (this.#process ?? this.#intercept)
    return parent.leaf(name, this.#attributes)
  }

  /** Its outcome is fixed, and all events were seen. */
  settled({ outcome, errorType, errorMessage, drained }: InterceptionEnd): void {
    if (outcome !== 'completed') {
      const message = errorMessage ?? outcome
      this.#intercept.fail(`interception failed: ${message}`)
      this.#process?.fail(message)
      const whole = this.#upstream?.isRead === true || (outcome === 'client_gone' && drained)
      if (!whole) this.#upstream?.fail(errorType ?? outcome, message)
    }
    this.#upstream?.end()
    this.#upstream = undefined
  }

  /** The request is served. What is recorded of its end comes a moment later. */
  end(): void {
    const now = performance.now()
    this.#create.end(now)
    setImmediate(() => {
      this.#process?.end()
      this.#intercept.end(Math.max(now, this.#recordedAt))
      this.#tracing.live?.delete(this.#id)
    })
  }
}

/** What is known of every call before it is made. */
function knownAttributes(start: InterceptionStart): Attributes {
  const { provider, model, streaming, clientSessionId, format } = start
  return {
    'gen_ai.operation.name': 'chat',
    'gen_ai.provider.name': provider,
    ...(model !== '' && { 'gen_ai.request.model': model }),
    ...(streaming && { 'gen_ai.request.stream': true }),
    ...(clientSessionId !== null && { 'gen_ai.conversation.id': clientSessionId }),
    ...(format === 'openai_chat' && { 'openai.api.type': 'chat_completions' }),
    ...(format === 'openai_responses' && { 'openai.api.type': 'responses' }),
  }
}

const recordSpans: Readonly<Partial<Record<RecordType, string>>> = {
  interception_start: 'Intercept.RecordInterception',
  prompt_usage: 'Intercept.RecordPromptUsage',
  token_usage: 'Intercept.RecordTokenUsage',
  tool_usage: 'Intercept.RecordToolUsage',
  model_thought: 'Intercept.RecordModelThought',
  interception_end: 'Intercept.RecordInterceptionEnded',
}

const looked = bitOf('usage') | bitOf('finish') | bitOf('error')
const contentBits = bitOf('text') | bitOf('reasoning') | bitOf('tool_call')
