import type { Diagnostics } from '../diagnostics.ts'
import { arrayOf, objectOf } from '../json.ts'
import { JsonEdit } from '../json-edit.ts'
import type { InjectedTool } from '../mcp/toolbox.ts'
import type { FormatName, Purpose } from '../records.ts'
import type { AnsweredCall } from './dialect.ts'
import { dialects } from './dialects.ts'

export interface OfferOptions {
  readonly format: FormatName
  readonly purpose: Purpose | null
  /** By id, in its order. */
  readonly tools: ReadonlyMap<string, InjectedTool>
  readonly parallel: boolean
  /** Calls that the client never saw, by one of its own beside them; null where there are none at all. */
  readonly hidden: ((callId: string) => readonly AnsweredCall[]) | null
  readonly log: Diagnostics['log']
}

export interface Offer {
  /** The request with the tools in it. */
  readonly body: Buffer
  readonly tools: ReadonlyMap<string, InjectedTool>
}

/** As many as OpenAI takes, the client's own among them. */
const maxTools = 128

/**
 * Puts tools into a request by editing its bytes: the same request with the same tools gives the same bytes. Null where
 * nothing is offered, and the request stays as it is.
 */
export function offerTools(
  body: Buffer,
  { format, purpose, tools, parallel, hidden, log }: OfferOptions,
): Offer | null {
  // Agents ask on the side for titles and whether a key works: no tool is of use there.
  if (tools.size === 0 || purpose === 'title' || purpose === 'probe') return null
  const dialect = dialects[format]
  const request = new JsonEdit(body)
  const own = dialect.ownTools(request)
  if (!own) {
    log(
      'warn',
      'no tools of MCP servers are offered: the request’s own are none that can be added to',
    )
    return null
  }
  const wanted = [...tools.values()].filter(
    (tool) => !own.includes(tool.id) && (dialect.takes?.(tool) ?? true),
  )
  const room = Math.max(0, maxTools - own.length)
  if (wanted.length > room) {
    log(
      'warn',
      `only ${room} of ${wanted.length} tools of MCP servers are offered, since a request may have ${maxTools} at most: choose them by allow and deny`,
      { left_out: wanted.slice(room).map(({ id }) => id) },
    )
  }
  const offered = wanted.slice(0, room)
  if (offered.length === 0) return null
  dialect.inject(request, offered, parallel)
  if (hidden) {
    const history = arrayOf(request.value(dialect.history)).map(objectOf)
    request.replaceElements(dialect.history, dialect.restored(history, hidden))
  }
  return { body: request.bytes(), tools: new Map(offered.map((tool) => [tool.id, tool])) }
}
