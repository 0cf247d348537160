import type { FormatName } from '../src/core/records.ts'
import { type AnswerSpec, modelOf } from './answers.ts'

/** Of each format the path below a provider, and the provider's name in the gateway. */
export const routes: Readonly<Record<FormatName, { provider: string; path: string }>> = {
  anthropic_messages: { provider: 'anthropic', path: '/v1/messages' },
  openai_chat: { provider: 'openai', path: '/v1/chat/completions' },
  openai_responses: { provider: 'openai', path: '/v1/responses' },
}

export interface RequestOptions extends AnswerSpec {
  /** Before the path: a gateway's own segment, or nothing. */
  readonly prefix: string
  /** Of the body, about. */
  readonly kibibytes: number
}

/** A whole HTTP request as bytes: that of a coding agent with a system prompt of its own. */
export function requestBytes({ prefix, kibibytes, ...spec }: RequestOptions): Buffer {
  const line = 'You are a coding agent. Read a file before you edit it; "quote" what matters.\n'
  const system = line.repeat(Math.ceil((kibibytes * 1024 - 300) / line.length))
  const body = JSON.stringify({
    model: modelOf(spec),
    stream: spec.stream,
    ...bodies[spec.format](system, spec),
  })
  const head = [
    `POST ${prefix}${routes[spec.format].path} HTTP/1.1`,
    'host: 127.0.0.1',
    'content-type: application/json',
    'accept: */*',
    'user-agent: bench/1',
    // Both vendors' kinds of key, so that one request fits every target.
    'x-api-key: sk-ant-bench',
    'authorization: Bearer sk-bench',
    'anthropic-version: 2023-06-01',
    `content-length: ${Buffer.byteLength(body)}`,
  ]
  return Buffer.from(`${head.join('\r\n')}\r\n\r\n${body}`)
}

const user = { role: 'user', content: 'Why does the test fail? Look at src/x.ts.' }
const parameters = { type: 'object', properties: { path: { type: 'string' } }, required: ['path'] }
const tool = { name: 'read_file', description: 'Reads a file' }

type Body = (system: string, spec: AnswerSpec) => object

const bodies: Readonly<Record<FormatName, Body>> = {
  anthropic_messages: (system) => ({
    max_tokens: 4096,
    tools: [{ ...tool, input_schema: parameters }],
    messages: [user],
    system,
  }),
  openai_chat: (system, { stream }) => ({
    ...(stream ? { stream_options: { include_usage: true } } : {}),
    tools: [{ type: 'function', function: { ...tool, parameters } }],
    messages: [{ role: 'system', content: system }, user],
  }),
  openai_responses: (instructions) => ({
    tools: [{ type: 'function', ...tool, parameters }],
    input: [user],
    instructions,
  }),
}
