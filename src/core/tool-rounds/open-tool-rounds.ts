import { messageOf } from '../errors.ts'
import type { InterceptionEvent } from '../events.ts'
import type { Format } from '../format.ts'
import type { Initiator } from '../interception.ts'
import type { Lease } from '../mcp/pool.ts'
import type { Purpose } from '../records.ts'
import type { Runtime } from '../runtime.ts'
import type { Frame } from '../sse.ts'
import type { RequestTrace } from '../tracing/request-trace.ts'
import type { Send, UpstreamRequest } from '../upstream.ts'
import { offerTools } from './offer-tools.ts'
import { ToolRounds } from './tool-rounds.ts'

export interface OpenOptions {
  readonly runtime: Runtime
  readonly format: Format
  readonly initiator: Initiator
  readonly purpose: Purpose | null
  readonly request: UpstreamRequest
  /** The initiator's tools. */
  readonly lease: Promise<Lease>
  /** One upstream call, with its time-out for headers. */
  readonly send: Send
  readonly emit: (events: readonly InterceptionEvent[]) => void
  readonly frame: (frame: Frame) => void
  readonly trace: RequestTrace | null
}

/** The initiator's tools offered in a request; null where there are none, and it is to be sent as it is. */
export async function openToolRounds({
  runtime: { injectedTools, diagnostics, settings },
  format,
  initiator,
  purpose,
  request,
  lease,
  ...rest
}: OpenOptions): Promise<ToolRounds | null> {
  if (!injectedTools || !Buffer.isBuffer(request.body)) return null
  const { toolbox } = await lease
  const { limits, hiddenCalls } = injectedTools
  const { parallel } = limits
  const { tools } = toolbox
  try {
    const offer = offerTools(request.body, {
      format: format.name,
      purpose,
      tools,
      parallel,
      hidden: hiddenCalls.isEmpty ? null : (callId) => hiddenCalls.find(initiator.id, callId),
      log: diagnostics.log,
    })
    if (offer) {
      return new ToolRounds({
        ...rest,
        format,
        request: { ...request, body: offer.body },
        tools: offer.tools,
        callTool: (id, args, options) => toolbox.call(id, args, options),
        limits,
        hide: (own, calls) => hiddenCalls.remember(initiator.id, own, calls),
        upstreamIdleTimeout: settings.upstreamIdleTimeout,
      })
    }
  } catch (error) {
    // Whatever ails the tools, the request is served.
    diagnostics.log('error', `tools of MCP servers can't be offered: ${messageOf(error)}`)
  }
  return null
}
