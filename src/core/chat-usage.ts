import { isObject, objectOf, parseJson } from './json.ts'
import type { Provider } from './provider.ts'
import type { FormatName } from './records.ts'
import type { Frame } from './sse.ts'

/** What decides whether a Chat stream's usage is asked for in the client's stead. */
export interface ChatUsageFacts {
  readonly provider: Provider
  readonly format: FormatName
  readonly streaming: boolean
  /** The client sent `stream_options`, whatever is in it. */
  readonly hasStreamOptions: boolean
}

export function asksUsage({
  provider,
  format,
  streaming,
  hasStreamOptions,
}: ChatUsageFacts): boolean {
  if (format !== 'openai_chat' || !streaming || hasStreamOptions) return false
  return provider.chatUsage === 'ask' || (provider.chatUsage === 'auto' && provider.vendor)
}

const asked = Buffer.from('{"stream_options":{"include_usage":true},')
const openBrace = 0x7b

/** The request's own bytes with `stream_options` put first; the body is a JSON object with members. */
export function withUsageAsked(body: Buffer): Buffer {
  const start = body.indexOf(openBrace)
  return Buffer.concat([asked, body.subarray(start + 1)])
}

/** The chunk that `include_usage` adds: no choices and a usage (OpenAI API reference, `stream_options`). */
export function isAskedUsage({ data }: Frame): boolean {
  if (!data.includes('"usage"') || !/"choices"\s*:\s*\[\s*\]/.test(data)) return false
  const { choices, usage } = objectOf(parseJson(data))
  return Array.isArray(choices) && choices.length === 0 && isObject(usage)
}
