import { messageOf } from '../errors.ts'
import { isObject, type JsonObject, parseJson } from '../json.ts'
import type { SafeSpan } from '../tracing/safe-span.ts'
import type { AnsweredCall, InjectedCall } from './dialect.ts'
import type { ToolLimits } from './limits.ts'
import { failedResult, readResult, type ToolResult, textOfResult } from './tool-result.ts'

/** Runs a tool by the name under which it was offered; rejects where it gave no answer. */
export type CallTool = (
  tool: string,
  args: JsonObject,
  options: { readonly signal: AbortSignal; readonly timeout: number },
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
  readonly spanOf: (call: InjectedCall) => SafeSpan | null
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
  const tell = (invocationError: string | null) => {
    if (invocationError !== null) span?.fail(invocationError)
    span?.end()
    told(call, { durationMs: Math.round(performance.now() - startedAt), invocationError })
  }
  try {
    signal.throwIfAborted()
    const result = await answerTo(call, options)
    tell(result.isError ? shortened(textOfResult(result)) : null)
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
  { callTool, limits, signal }: RunOptions,
): Promise<ToolResult> {
  // Some models say `null`, or nothing, where a tool takes no arguments.
  const args = /^\s*(null\s*)?$/.test(input) ? {} : parseJson(input)
  if (!isObject(args)) throw new Error('the arguments are no JSON object')
  const result = await callTool(tool, args, { signal, timeout: limits.callTimeout })
  return readResult(result, limits.maxResult)
}

function shortened(text: string): string {
  return text.length > 2000 ? `${text.slice(0, 2000).toWellFormed()}…` : text
}
