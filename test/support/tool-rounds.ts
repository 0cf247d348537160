import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import type { InterceptionEvent } from '../../src/core/events.ts'
import type { Format, Verdict } from '../../src/core/format.ts'
import type { JsonObject } from '../../src/core/json.ts'
import type { InjectedTool } from '../../src/core/mcp/toolbox.ts'
import { HiddenCalls } from '../../src/core/tool-rounds/hidden-calls.ts'
import type { ToolLimits } from '../../src/core/tool-rounds/limits.ts'
import { offerTools } from '../../src/core/tool-rounds/offer-tools.ts'
import type { CallTool } from '../../src/core/tool-rounds/run-calls.ts'
import { ToolRounds } from '../../src/core/tool-rounds/tool-rounds.ts'
import type { Reply, Send } from '../../src/core/upstream.ts'

/** The upstream's answer to one round: an event stream or JSON by its first character, in these pieces. */
export interface UpstreamRound {
  readonly chunks: readonly (Buffer | string)[]
  readonly status?: number
  readonly headers?: readonly string[]
}

export interface TriedRounds {
  readonly bytes: Buffer
  /** What a client reads of it. */
  readonly text: string
  readonly events: readonly InterceptionEvent[]
  readonly verdict: Verdict
  /** Bodies of the upstream calls. */
  readonly requests: readonly JsonObject[]
  readonly reply: Reply
}

export interface TryOptions {
  readonly format: Format
  readonly request: Buffer | string
  /** @default none: `send` answers */
  readonly rounds?: readonly UpstreamRound[]
  /** @default answers with `rounds` */
  readonly send?: Send
  /** @default tools of `coder` that answer `mock` */
  readonly tools?: ReadonlyMap<string, InjectedTool>
  readonly callTool?: CallTool
  readonly limits?: Partial<ToolLimits>
  /** Of several tries in a row. @default none */
  readonly hiddenCalls?: HiddenCalls
  /** Hears of what a client would get, piece by piece. */
  readonly onChunk?: (chunk: Buffer) => void
}

const limits: ToolLimits = {
  maxRounds: 20,
  maxCalls: 64,
  callTimeout: 60_000,
  totalTimeout: 600_000,
  maxResult: 1024 * 1024,
  parallel: false,
}

/** Runs the rounds of one request without a gateway around them. */
export async function tryRounds({
  format,
  request,
  rounds = [],
  send,
  onChunk = () => {},
  hiddenCalls = new HiddenCalls(),
  tools = coderTools,
  callTool = async () => ({ content: [{ type: 'text', text: 'mock' }] }),
  limits: some = {},
}: TryOptions): Promise<TriedRounds> {
  const requests: JsonObject[] = []
  const events: InterceptionEvent[] = []
  const bounds = { ...limits, ...some }
  const offer = offerTools(Buffer.from(request), {
    format: format.name,
    purpose: null,
    tools,
    parallel: bounds.parallel,
    hidden: hiddenCalls.isEmpty ? null : (id) => hiddenCalls.find('u', id),
    log: () => {},
  })
  const body = offer?.body ?? Buffer.from(request)
  const emit = (more: readonly InterceptionEvent[]) => void events.push(...more)
  const toolRounds = new ToolRounds({
    format,
    request: {
      method: 'POST',
      url: new URL('http://upstream.test/'),
      headers: [],
      body,
      signal: new AbortController().signal,
    },
    send: async (sent) => {
      requests.push(JSON.parse(String(sent.body)))
      if (send) return send(sent)
      return replyOf(rounds[requests.length - 1] ?? { chunks: [], status: 500 })
    },
    tools: offer?.tools ?? new Map(),
    callTool,
    limits: bounds,
    emit,
    frame: () => {},
    hide: (own, calls) => hiddenCalls.remember('u', own, calls),
    upstreamIdleTimeout: 60_000,
  })
  const { reply, reader: createReader } = await toolRounds.start()
  const reader = createReader?.({ askedUsage: false, terminal: () => {} })
  const parts: Uint8Array[] = []
  for await (const chunk of reply.body) {
    onChunk(chunk as Buffer)
    const passage = reader?.push(chunk as Buffer)
    parts.push(passage?.pass ?? none, passage?.held ?? none)
    reader?.observe()
  }
  parts.push((await reader?.end()) ?? none)
  // As the relay does: the outcome is settled before the last events are asked for.
  const verdict = reader?.verdict() ?? { outcome: 'completed' }
  events.push(...(reader?.finish() ?? []))
  const bytes = reader ? Buffer.concat(parts) : await buffer(reply.body)
  return { bytes, text: bytes.toString(), events, verdict, requests, reply }
}

function replyOf({ chunks, status = 200, headers }: UpstreamRound): Reply {
  const bytes = chunks.map((chunk) => Buffer.from(chunk as string))
  const json = /^\s*\{/.test(bytes[0]?.toString() ?? '')
  const length = Buffer.concat(bytes).length
  return {
    status,
    statusText: '',
    headers: headers
      ? headers
      : json
        ? ['content-type', 'application/json', 'content-length', String(length)]
        : ['content-type', 'text/event-stream'],
    body: Readable.from(bytes, { objectMode: false }),
  }
}

const none = new Uint8Array()

export const coderTools: ReadonlyMap<string, InjectedTool> = new Map(
  [
    'coder_create_workspace_build',
    'coder_delete_template',
    'coder_get_authenticated_user',
    'coder_list_templates',
    'coder_list_workspaces',
    'coder_template_version_parameters',
  ].map((name) => {
    const id = `bmcp_coder_${name}`
    const inputSchema = { type: 'object', properties: {} }
    const serverUrl = 'http://coder.test/mcp'
    return [id, { id, server: 'coder', serverUrl, name, description: 'a tool', inputSchema }]
  }),
)
