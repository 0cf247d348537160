import fc from 'fast-check'
import { reapedEnd } from '../../../src/core/reaped-end.ts'
import type { InterceptionRecord, Purpose } from '../../../src/core/records.ts'
import { at, end, idAt, told } from '../../support/stored-records.ts'

const minute = 60 * 1000
const hour = 60 * minute

/** When things happen: close together, at the edges of hours and days, and days apart. */
export const moments = [0, 1, 2, 30 * minute - 1, 30 * minute, hour, 24 * hour, 24 * hour + 1]

const initiators = [
  { initiatorId: 'u-1', initiatorUsername: 'anna' },
  { initiatorId: 'u-1', initiatorUsername: 'anna' },
  { initiatorId: 'u-2', initiatorUsername: 'ben' },
  { initiatorId: 'u-3', initiatorUsername: 'anna' },
] as const

const rarely = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | null> =>
  fc.option(arbitrary, { freq: 2, nil: null })

const madeUp = fc.record({
  ms: fc.constantFrom(...moments),
  who: fc.constantFrom(...initiators),
  session: fc.constantFrom('s', 's', 't', null),
  purpose: fc.constantFrom<(Purpose | null)[]>(null, null, null, 'title', 'subagent'),
  agentId: fc.constantFrom('agent', null, null),
  model: fc.constantFrom('m-1', 'm-2'),
  provider: fc.constantFrom('anthropic', 'openai'),
  client: fc.constantFrom('Claude Code', 'Zed'),
  /** Which of the others it answers, repeats, or is known to hang on. */
  answers: fc.option(fc.nat(7), { freq: 1, nil: null }),
  retryOf: rarely(fc.nat(7)),
  knownParent: rarely(fc.nat(7)),
  prompt: fc.constantFrom(null, 'alpha', 'alpha beta', 'beta alpha'),
  thoughts: fc.constantFrom<string[][]>([], [], ['gamma alpha']),
  tools: fc.array(fc.constantFrom('Bash', 'Read', 'constructor'), { maxLength: 3 }),
  /** Each version of its one token usage. */
  usages: fc.array(
    fc.record({
      inputTokens: fc.nat(100),
      outputTokens: fc.nat(100),
      costNanoUsd: fc.constantFrom(null, 5, 7000),
      metadata: fc.constantFrom({}, { a: 1 }, { a: { b: 2 }, c: 'x' }),
    }),
    { maxLength: 3 },
  ),
  /** Its model when its start is written again. Not its initiator: what then hangs on the forgotten is left open. */
  corrected: rarely(fc.constant({ model: 'm-3' })),
  ended: fc.constantFrom('owner', 'owner', 'owner', 'reaper', 'both', 'not', 'no start'),
})

type MadeUp = typeof madeUp extends fc.Arbitrary<infer T> ? T : never

/** Of several users, sessions and threads: retries, sub-agents, tool rounds, ends of reapers. */
export const someInterceptions: fc.Arbitrary<readonly MadeUp[]> = fc.array(madeUp, {
  minLength: 1,
  maxLength: 10,
})

/** All their records, versions of one record one after the other. */
export function recordsOf(all: readonly MadeUp[]): InterceptionRecord[] {
  const ids = all.map(({ ms }) => idAt(ms))
  const idOf = (place: number | null) => (place === null ? null : (ids[place] ?? null))
  return all.flatMap((each, place) => {
    const id = ids[place] as string
    const caller = idOf(each.answers)
    const records = told({
      id,
      ms: each.ms,
      start: {
        ...each.who,
        clientSessionId: each.session,
        sessionId: each.session ?? id,
        purpose: each.purpose,
        agentId: each.agentId,
        model: each.model,
        provider: each.provider,
        client: each.client,
        correlatingToolCallId: caller && `call of ${caller}`,
        retryOf: idOf(each.retryOf),
        threadParentId: idOf(each.knownParent),
        threadRootId: idOf(each.knownParent),
      },
      prompt: each.prompt,
      thoughts: each.thoughts,
      tools: each.tools,
      usages: each.usages.slice(0, 1),
      end: null,
    })
    const calls = records.map((record) =>
      record.type === 'tool_usage' ? { ...record, toolCallId: `call of ${id}` } : record,
    )
    const [used] = records.filter(({ type }) => type === 'token_usage')
    const versions = each.usages
      .slice(1)
      .map((usage) => ({ ...used, ...usage }) as InterceptionRecord)
    const whole = [...calls, ...versions, ...endsOf(id, each)]
    if (each.ended === 'no start') return whole.slice(1)
    const [begun, ...rest] = whole as [InterceptionRecord, ...InterceptionRecord[]]
    return each.corrected
      ? [begun, { ...begun, ...each.corrected } as InterceptionRecord, ...rest]
      : whole
  })
}

function endsOf(id: string, { ms, ended }: MadeUp): InterceptionRecord[] {
  const lastSeenAt = at(ms + 10)
  const own = { ...end(id, { endedAt: at(ms + 2000) }, 100), createdAt: lastSeenAt }
  const reaped = {
    ...reapedEnd({ id, startedAt: at(ms), lastSeenAt, lastSeq: 99 }),
    createdAt: lastSeenAt,
  }
  if (ended === 'not') return []
  if (ended === 'reaper') return [reaped]
  return ended === 'both' ? [reaped, own] : [own]
}
