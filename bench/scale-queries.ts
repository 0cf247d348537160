import type { InterceptionQuery } from '../src/core/recorder.ts'
import type { SessionQuery, StatsKey, Store } from '../src/core/store.ts'
import { commonWord, longSession, rareWord } from './seed-data.ts'

interface Question {
  readonly name: string
  readonly run: () => Promise<unknown>
}

/** Every list, filter, sum and search that the gateway's API can ask for. */
export async function scaleQueries(store: Store): Promise<Question[]> {
  const { results } = await store.interceptions({ limit: 1 })
  const newest = Date.parse(results[0]?.start.startedAt ?? '')
  const ago = (days: number) => new Date(newest - days * 86_400_000).toISOString()
  const deep = (await store.sessions({ offset: 99_899, limit: 1 })).sessions[0]
  const sessions = (name: string, query: SessionQuery): Question => ({
    name: `sessions: ${name}`,
    run: () => store.sessions(query),
  })
  const lists = (name: string, query: InterceptionQuery): Question => ({
    name: `interceptions: ${name}`,
    run: () => store.interceptions(query),
  })
  const board = (groupBy: StatsKey): Question => ({
    name: `leaderboard of 30 days by ${groupBy}`,
    run: () => store.stats({ groupBy, startedAfter: ago(30), limit: 20 }),
  })
  const cursor = deep && { after: deep.id, afterInitiatorId: deep.initiatorId }
  const window = { startedAfter: ago(20.3), startedBefore: ago(10.7) }
  return [
    sessions('first page', {}),
    sessions('page 1,000 by offset', { offset: 99_900 }),
    ...(cursor ? [sessions('page 1,000 by cursor', cursor)] : []),
    sessions('a user', { initiator: 'name500' }),
    sessions('visible to a user', { visibleTo: 'user-3' }),
    sessions('provider', { provider: 'openai' }),
    sessions('instance', { providerName: 'anthropic-eu' }),
    sessions('common model', { model: 'claude-sonnet-4-5' }),
    sessions('rare model', { model: 'rare-model' }),
    sessions('client', { client: 'Codex' }),
    sessions('model, client and user', { model: 'gpt-5', client: 'Zed', initiator: 'name3' }),
    sessions('ten days', window),
    sessions('ten days and a model', { ...window, model: 'gpt-5' }),
    sessions('by id', { sessionId: 'session-77' }),
    sessions('oldest', { sort: 'oldest' }),
    lists('first page', {}),
    lists('page 1,000 by offset', { offset: 99_900 }),
    lists('a user', { initiator: 'name500' }),
    lists('visible to a user', { visibleTo: 'user-3' }),
    lists('provider', { provider: 'openai' }),
    lists('instance', { providerName: 'anthropic-eu' }),
    lists('common model', { model: 'claude-sonnet-4-5' }),
    lists('rare model', { model: 'rare-model' }),
    lists('client', { client: 'Codex' }),
    lists('rare client', { client: 'rare-client' }),
    lists('outcome', { outcome: 'client_gone' }),
    lists('common tool', { tool: 'Bash' }),
    lists('rare tool', { tool: 'rare-tool' }),
    lists('tool and model', { tool: 'Bash', model: 'gpt-5' }),
    lists('a session', { sessionId: 'session-77' }),
    lists('the long session', { sessionId: longSession }),
    lists('repo', { annotations: { repo: 'sluice' } }),
    lists('ten days', window),
    lists('ten days, model, client, outcome', {
      ...window,
      model: 'gpt-5',
      client: 'Zed',
      outcome: 'failed',
    }),
    ...(['user', 'model', 'client', 'tool', 'none'] as const).map(board),
    {
      name: '30 days by day and model',
      run: () => store.stats({ groupBy: 'model', interval: 'day', startedAfter: ago(30) }),
    },
    {
      name: 'a user’s 30 days by tool',
      run: () => store.stats({ groupBy: 'tool', visibleTo: 'user-3', startedAfter: ago(30) }),
    },
    lists('search: rare word', { search: rareWord }),
    lists('search: common word', { search: commonWord }),
    lists('search: two common words', { search: `${commonWord} w1` }),
    lists('search: a phrase', { search: `"${commonWord} w1"` }),
    lists('search: common word, a user', { search: commonWord, visibleTo: 'user-3' }),
    lists('search: common word, a tool', { search: commonWord, tool: 'rare-tool' }),
    { name: 'the long session, first page', run: () => store.session({ id: longSession }) },
    { name: 'a session', run: () => store.session({ id: 'session-77' }) },
    { name: 'models', run: () => store.values({ of: 'model' }) },
    { name: 'a user’s tools', run: () => store.values({ of: 'tool', visibleTo: 'user-3' }) },
    { name: 'users', run: () => store.values({ of: 'initiator' }) },
  ]
}
