import { EventSourceParserStream } from 'eventsource-parser/stream'
import { isObject, type JsonObject, parseJson } from '../core/json.ts'
import { type DemoClient, demoTools } from './demo-clients.ts'

/** One conversation of the demo. */
export interface DemoConversation {
  readonly user: string
  readonly client: DemoClient
  readonly prompts: readonly string[]
  /** What the first try of the first request asks the simulated provider to do wrong. */
  readonly simulate?: string
  /** The user loses patience with the last answer after so many events. */
  readonly leaveAfter?: number
}

/** Sends a conversation's requests one after the other, tool results too, through the gateway at `url`. */
export async function converse(
  url: string,
  { user, client, prompts, simulate, leaveAfter }: DemoConversation,
  signal: AbortSignal,
): Promise<void> {
  const { dialect, stream } = client
  const session = crypto.randomUUID()
  const headers = {
    ...client.headers(session),
    'content-type': 'application/json',
    'x-sluice-user': user,
  }
  const tools = client.tools.map((name) => dialect.tool(name, parametersOf(name)))
  const history: JsonObject[] = []
  const send = (extra: Record<string, string> = {}) =>
    fetch(new URL(dialect.path, url), {
      method: 'POST',
      headers: { ...headers, ...extra },
      body: JSON.stringify({ ...client.body(session), tools, stream, [dialect.history]: history }),
      signal,
    })

  for (const [index, prompt] of prompts.entries()) {
    history.push(dialect.user(prompt))
    if (index === 0 && simulate) await failing(send({ 'x-simulate': simulate }), signal)
    // A model that goes on calling tools must not keep us here for ever.
    for (let round = 0; round < 8; round++) {
      const leave = index === prompts.length - 1 ? leaveAfter : undefined
      const { turns, calls } = dialect.reply(await read(await send(), leave))
      history.push(...turns)
      for (const call of calls) {
        history.push(dialect.result(call, demoTools[call.name]?.result ?? 'done'))
      }
      if (calls.length === 0) break
    }
  }
}

/** The events of a stream, or one body. */
async function read(response: Response, leaveAfter = Infinity): Promise<JsonObject[]> {
  if (!response.ok) throw new Error(`the gateway answered ${response.status}`)
  const type = response.headers.get('content-type') ?? ''
  if (!type.startsWith('text/event-stream') || !response.body) {
    const body: unknown = await response.json()
    return isObject(body) ? [body] : []
  }
  const said: JsonObject[] = []
  const events = response.body
    .pipeThrough(new TextDecoderStream())
    .pipeThrough(new EventSourceParserStream())
  for await (const { data } of events) {
    const event = parseJson(data)
    if (isObject(event)) said.push(event)
    // Leaving the loop cancels the stream, which closes the connection.
    if (said.length >= leaveAfter) break
  }
  return said
}

/** A try that is meant to fail: whatever comes of it, the next one follows, unless the demo is over. */
async function failing(sent: Promise<Response>, signal: AbortSignal): Promise<void> {
  await sent.then((response) => response.arrayBuffer()).catch(() => {})
  signal.throwIfAborted()
}

function parametersOf(tool: string): JsonObject {
  const { parameter = 'input' } = demoTools[tool] ?? {}
  return {
    type: 'object',
    properties: { [parameter]: { type: 'string' } },
    required: [parameter],
  }
}
