import { messageOf } from '../errors.ts'
import { isObject, type JsonObject, parseJson } from '../json.ts'
import type { SafeSpan } from '../tracing/safe-span.ts'
import type { ToolSpan } from '../tracing/tool-span.ts'
import type { AnsweredCall, InjectedCall } from './dialect.ts'
import type { ToolLimits } from './limits.ts'
import { failedResult, readResult, type ToolResult, textOfResult } from './tool-result.ts'

/** Runs a tool by the name under which it was offered; rejects where it gave no answer. */
export type CallTool = (
  tool: string,
  args: JsonObject,
  options: {
    readonly signal: AbortSignal
    readonly timeout: number
    /** What the call is part of. */
    readonly span: SafeSpan | null
  },
) => Promise<JsonObject>

/** How a call went, for its record. */
export interface CallOutcome {
  readonly durationMs: number
  readonly invocationError: string | null
}

export interface RunOptions {
  readonly callTool: CallTool
  readonly limits: ToolLimits
  readonly signal: AbortSignal
  readonly spanOf: (call: InjectedCall) => ToolSpan | null
  readonly told: (call: InjectedCall, outcome: CallOutcome) => void
}

/** Runs the calls of one answer, at once or one after the other. Rejects only when `signal` aborts. */
export async function runCalls(
  calls: readonly InjectedCall[],
  options: RunOptions,
): Promise<AnsweredCall[]> {
  if (options.limits.parallel) return Promise.all(calls.map((call) => run(call, options)))
  const answered: AnsweredCall[] = []
  for (const call of calls) answered.push(await run(call, options))
  return answered
}

async function run(call: InjectedCall, options: RunOptions): Promise<AnsweredCall> {
  const { signal, told, spanOf } = options
  const span = spanOf(call)
  const startedAt = performance.now()
  const tell = (invocationError: string | null, type = '_OTHER') => {
    span?.end(invocationError === null ? null : { type, message: invocationError })
    told(call, { durationMs: Math.round(performance.now() - startedAt), invocationError })
  }
  try {
    signal.throwIfAborted()
    const result = await answerTo(call, span?.span ?? null, options)
    span?.answered(() => textOfResult(result))
    tell(result.isError ? shortened(textOfResult(result)) : null, 'tool_error')
    return { ...call, result }
  } catch (error) {
    if (!signal.aborted) {
      tell(shortened(messageOf(error)))
      return { ...call, result: failedResult(shortened(messageOf(error))) }
    }
    tell(`cancelled: ${messageOf(signal.reason)}`)
    throw signal.reason
  }
}

async function answerTo(
  { tool, input }: InjectedCall,
  span: SafeSpan | null,
  { callTool, limits, signal }: RunOptions,
): Promise<ToolResult> {
  // Some models say `null`, or nothing, where a tool takes no arguments.
  const args = /^\s*(null\s*)?$/.test(input) ? {} : parseJson(input)
  if (!isObject(args)) throw new Error('the arguments are no JSON object')
  const result = await callTool(tool, args, { signal, timeout: limits.callTimeout, span })
  return readResult(result, limits.maxResult)
}

function shortened(text: string): string {
  return text.length > 2000 ? `${text.slice(0, 2000).toWellFormed()}…` : text
}
