import { agentRules, purposeRules } from './agent-rules.ts'
import {
  type ClientCondition,
  type ClientRule,
  clientRules,
  commonSessionSources,
  type SessionSource,
} from './client-rules.ts'
import { headerValue } from './headers.ts'
import { objectOf, parseJson, stringOf } from './json.ts'
import type { Purpose } from './records.ts'
import { systemText } from './system-text.ts'
import type { RawHeaders } from './upstream.ts'

/** What a request says of the program that sent it. Every text is trimmed, at most 256 characters. */
export interface ClientIdentity {
  /** `Unknown` where no rule matches. */
  readonly client: string
  readonly clientSessionId: string | null
  /** Of a sub-agent: its own id. */
  readonly agentId: string | null
  /** Of a sub-agent: who started it, where the client says so. */
  readonly parentAgentId: string | null
  /** Only what headers say; the request's text may say more. */
  readonly purpose: Purpose | null
  readonly userAgent: string
}

/** A request as far as a client can be told from it; `body` is parsed JSON, or undefined. */
export interface ClientRequest {
  readonly headers: RawHeaders
  readonly body: unknown
}

/** Tells which client sent a request, in which session and as which sub-agent. Never throws. */
export function identifyClient(
  request: ClientRequest,
  rules: readonly ClientRule[] = clientRules,
): ClientIdentity {
  const marks = marksOf(request)
  const rule = rules.find(({ when }) => when.some((condition) => holds(condition, marks)))
  const agent = agentRules.find(({ header }) => header.test(marks.lines))
  return {
    client: rule?.client ?? 'Unknown',
    clientSessionId: firstValue(sessionSources(rule), request),
    agentId: firstValue(agent?.agent ?? [], request),
    parentAgentId: firstValue(agent?.parent ?? [], request),
    purpose: purposeRules.find(({ header }) => header.test(marks.lines))?.purpose ?? null,
    userAgent: clean(marks.userAgent) ?? '',
  }
}

interface Marks {
  readonly userAgent: string
  /** All headers, one a line. */
  readonly lines: string
  readonly system: () => string
}

function marksOf({ headers, body }: ClientRequest): Marks {
  let lines = ''
  for (let i = 0; i + 1 < headers.length; i += 2) {
    lines += `${headers[i]?.toLowerCase()}: ${headers[i + 1]?.trim()}\n`
  }
  let system: string | undefined
  return {
    userAgent: headerValue(headers, 'user-agent')?.trim() ?? '',
    lines,
    system: () => {
      system ??= systemText(body)
      return system
    },
  }
}

function holds({ userAgent, header, body }: ClientCondition, marks: Marks): boolean {
  return (
    (!userAgent || userAgent.test(marks.userAgent)) &&
    (!header || header.test(marks.lines)) &&
    (!body || body.test(marks.system()))
  )
}

function sessionSources(rule: ClientRule | undefined): readonly SessionSource[] {
  return [
    ...(rule?.session ?? []),
    ...commonSessionSources,
    ...(rule?.cacheKey ? [{ body: 'prompt_cache_key' }] : []),
  ]
}

function firstValue(sources: readonly SessionSource[], request: ClientRequest): string | null {
  for (const source of sources) {
    const value = clean(readSource(source, request))
    if (value !== null) return value
  }
  return null
}

function readSource(source: SessionSource, { headers, body }: ClientRequest): string | undefined {
  if ('body' in source) return stringOf(memberAt(body, source.body))
  if ('userId' in source) return sessionOfUserId(memberAt(body, source.userId))
  const value = headerValue(headers, source.header)
  // Kilo's title requests prefix the id of the session that they are about.
  return /^x-session-(id|affinity)$/i.test(source.header)
    ? value?.trim().replace(/^title-/, '')
    : value
}

/** Claude Code's `metadata.user_id` is JSON now, and was `user_…_session_<id>`. */
function sessionOfUserId(userId: unknown): string | undefined {
  if (typeof userId !== 'string') return undefined
  const json = parseJson(userId)
  if (json !== undefined) return stringOf(objectOf(json).session_id)
  const mark = '_session_'
  const at = userId.indexOf(mark)
  return at < 0 ? undefined : userId.slice(at + mark.length)
}

function memberAt(body: unknown, path: string): unknown {
  return path.split('.').reduce((value: unknown, member) => objectOf(value)[member], body)
}

function clean(value: string | undefined): string | null {
  const trimmed = value?.trim() ?? ''
  if (trimmed === '') return null
  return trimmed.length <= 256 ? trimmed : trimmed.slice(0, 256).toWellFormed()
}
