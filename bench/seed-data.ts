import { recordId } from '../src/core/ids.ts'
import type { InterceptionRecord, InterceptionStart } from '../src/core/records.ts'
import { end, prompt, stamp, start, tool, usage } from '../test/support/stored-records.ts'

export interface SeedOptions {
  readonly interceptions: number
  readonly sessions: number
  readonly users: number
  readonly days: number
  /** The first session has this many. */
  readonly longest: number
}

/** A common word is in nearly every prompt, the rare ones in one in 20,000. */
export const commonWord = 'please'
export const rareWord = 'xylophone'
export const longSession = 'session-0'

const models = [
  'claude-sonnet-4-5',
  'gpt-5',
  'claude-haiku-4-5',
  'gpt-5-mini',
  'claude-opus-4-1',
  'o4-mini',
  'gpt-4.1',
  'rare-model',
]
const clients = ['Claude Code', 'Codex', 'Zed', 'OpenCode', 'Cline', 'rare-client']
const tools = [
  'Bash',
  'Read',
  'Edit',
  'Grep',
  'Write',
  'Task',
  'WebFetch',
  'mcp__git__log',
  'mcp__issues__list',
  'apply_patch',
  'shell',
  'rare-tool',
]
const outcomes = [
  'completed',
  'completed',
  'completed',
  'completed',
  'completed',
  'completed',
  'completed',
  'failed',
  'client_gone',
] as const

/** All records of the sessions from one on, session by session, in order of time; the same on every run. */
export function* seedSessions(
  { interceptions, sessions, users, days, longest }: SeedOptions,
  from = 0,
): Generator<{ readonly session: number; readonly records: readonly InterceptionRecord[] }> {
  const begin = Date.parse('2026-01-15T00:00:00Z') - days * 86_400_000
  const step = (days * 86_400_000) / sessions
  const each = Math.max(1, Math.round((interceptions - longest) / (sessions - 1)))
  for (let session = from; session < sessions; session++) {
    const random = numbers(session + 1)
    const size = session === 0 ? longest : each
    // A long one goes on for days.
    const at = begin + step * session
    const user = Math.floor(random() ** 2 * users)
    const records: InterceptionRecord[] = []
    const model = pick(models, random)
    const openai = /^(gpt|o4)/.test(model)
    const body: Partial<InterceptionStart> = {
      initiatorId: `user-${user}`,
      initiatorUsername: `name${user}`,
      provider: openai ? 'openai' : 'anthropic',
      providerName: openai ? 'openai' : random() < 0.2 ? 'anthropic-eu' : 'anthropic',
      client: pick(clients, random),
      clientSessionId: `session-${session}`,
      sessionId: `session-${session}`,
      processId: 'seed',
    }
    let root = ''
    for (let index = 0; index < size; index++) {
      const time = Math.round(at + index * (20_000 + random() * 20_000))
      const id = seedId(time, session, index)
      const isRoot = index % 5 === 0
      if (isRoot) root = id
      const links = isRoot ? {} : { threadRootId: root, threadParentId: root }
      const own = random() < 0.05 ? pick(models, random) : model
      records.push(...sixRecords(id, time, random, isRoot, { ...body, ...links, model: own }))
    }
    yield { session, records }
  }
}

function sixRecords(
  id: string,
  time: number,
  random: () => number,
  isRoot: boolean,
  body: Partial<InterceptionStart>,
): InterceptionRecord[] {
  const at = (ms: number) => new Date(time + ms).toISOString()
  const words = sentence(random, 30)
  const asked: InterceptionRecord = isRoot
    ? { ...prompt(id, `${commonWord} ${words}`), createdAt: at(1) }
    : {
        ...stamp(id, 'reasoning-capturer', '0', 1),
        createdAt: at(1),
        type: 'model_thought',
        msgId: 'msg_1',
        index: 0,
        redacted: false,
        content: words,
        metadata: { source: 'thinking' },
      }
  const calls = [2, 3].map(
    (seq): InterceptionRecord => ({
      ...tool(id, seq, pick(tools, random)),
      toolCallId: `${id.slice(9)}-${seq}`,
      input: JSON.stringify({ command: sentence(random, 8) }),
      createdAt: at(seq),
    }),
  )
  return [
    { ...start(id, { ...body, startedAt: at(0) }), createdAt: at(0) },
    asked,
    ...calls,
    { ...usage(id, { seq: 4, outputTokens: Math.floor(random() * 2000) }), createdAt: at(4) },
    {
      ...end(id, { endedAt: at(5000), outcome: pick(outcomes, random) }, 5),
      createdAt: at(5000),
    },
  ]
}

/** UUIDv7 in form: the time, then where it stands. */
function seedId(time: number, session: number, index: number): string {
  const hex = time.toString(16).padStart(12, '0')
  const digest = recordId(`${hex}-${session}`, 'seed', String(index)).slice(14)
  return `${hex.slice(0, 8)}-${hex.slice(8)}-${digest}`
}

function sentence(random: () => number, length: number): string {
  const words: string[] = []
  // A few words are common, most are rare, as in any language.
  for (let index = 0; index < length; index++)
    words.push(`w${Math.floor(4000 * random() ** 3).toString(36)}`)
  if (random() < 1 / 20_000) words.push(rareWord)
  return words.join(' ')
}

/** The first are common, the last are rare. */
function pick<Value>(values: readonly Value[], random: () => number): Value {
  return values[Math.floor(values.length * random() ** 1.7)] as Value
}

/** Mulberry32: the same numbers for the same seed. */
function numbers(seed: number): () => number {
  let state = seed * 2_654_435_761
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
