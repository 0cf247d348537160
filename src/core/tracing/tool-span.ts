import type { Attributes } from '@opentelemetry/api'
import { maxContentBytes } from './message-content.ts'
import type { SafeSpan } from './safe-span.ts'

export interface ToolSpanFacts {
  /** Of the interception: the same on all of its spans. */
  readonly attributes: Attributes
  readonly tool: {
    readonly name: string
    readonly description: string
    readonly server: string
    readonly serverUrl: string
  }
  readonly call: { readonly id: string; readonly input: string }
  readonly content: boolean
}

/** The span of one call of a tool that the gateway runs. */
export class ToolSpan {
  readonly span: SafeSpan
  readonly #content: boolean

  constructor(parent: SafeSpan, { attributes, tool, call, content }: ToolSpanFacts) {
    this.#content = content
    this.span = parent.child('Intercept.ProcessRequest.ToolCall', {
      ...attributes,
      mcp_tool_name: tool.name,
      mcp_server_name: tool.server,
      mcp_server_url: tool.serverUrl,
      'gen_ai.operation.name': 'execute_tool',
      'gen_ai.tool.name': tool.name,
      'gen_ai.tool.type': 'function',
      'mcp.method.name': 'tools/call',
      ...(tool.description && { 'gen_ai.tool.description': cut(tool.description, 1024) }),
      ...(call.id && { 'gen_ai.tool.call.id': call.id }),
      ...(content && {
        mcp_input: cut(call.input, 100),
        'gen_ai.tool.call.arguments': cut(call.input, maxContentBytes),
      }),
    })
  }

  /** What the server answered, as text. */
  answered(result: () => string): void {
    if (this.#content) this.span.set({ 'gen_ai.tool.call.result': cut(result(), maxContentBytes) })
  }

  /** `type`: of the conventions, `tool_error` where the tool itself says so. */
  end(failure: { readonly type: string; readonly message: string } | null): void {
    if (failure) {
      this.span.set({ 'error.type': failure.type })
      this.span.fail(failure.message)
    }
    this.span.end()
  }
}

/** The beginning of a text, in UTF-8 bytes. */
function cut(text: string, maxBytes: number): string {
  const bytes = Buffer.from(text)
  if (bytes.length <= maxBytes) return text.toWellFormed()
  let end = maxBytes
  // Not within a character.
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end--
  return bytes.toString('utf8', 0, end)
}
