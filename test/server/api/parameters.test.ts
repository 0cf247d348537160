import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { by, startApi, type TestApi } from '../../support/api.ts'
import { at, idAt, type Plan } from '../../support/stored-records.ts'

// Three of ann's, bob's and dan's that differ in all that can be asked for.
const a = idAt(0)
const b = idAt(1000)
const c = idAt(2000)
const running = idAt(3000)
const plans: readonly Plan[] = [
  {
    id: a,
    start: {
      ...by('ann'),
      sessionId: 's-a',
      annotations: { repo: 'parser', branch: 'main', issue: '42' },
    },
    prompt: 'Where is the parser?',
    tools: ['Bash'],
  },
  {
    id: b,
    ms: 1000,
    start: {
      ...by('bob'),
      provider: 'openai',
      providerName: 'openai',
      model: 'gpt-5.4',
      client: 'Codex',
      sessionId: 's-b',
      annotations: {},
    },
    end: { outcome: 'failed' },
    tools: ['Read'],
  },
  {
    id: c,
    ms: 2000,
    start: { ...by('dan'), providerName: 'old-one', sessionId: 's-c', annotations: {} },
    prompt: 'Something else',
    usages: [{ costNanoUsd: null }],
  },
  { id: running, ms: 3000, start: by('ann'), end: null },
]

let api: TestApi
before(async () => {
  api = await startApi(plans)
})
after(() => api.close())

const enc = encodeURIComponent
const ofAll = ['interceptions', 'sessions', 'stats', 'export'] as const
type Path = (typeof ofAll)[number] | 'models' | 'clients' | 'providers' | 'sessions/s-a'
type Found = readonly string[]

/** Which of a, b and c an answer is about. */
async function found(path: Path, query: string): Promise<Found> {
  const { status, json, text } = await api.get(`${path}?${query}`)
  assert.equal(status, 200, `${path}?${query}: ${text}`)
  const names: Readonly<Record<string, string>> = { [a]: 'a', [b]: 'b', [c]: 'c', [running]: 'r' }
  if (path === 'interceptions')
    return json.results.map(({ id }: { id: string }) => names[id]).sort()
  if (path === 'export')
    return text
      .split('\n')
      .slice(0, -1)
      .map((line) => names[JSON.parse(line).id] ?? '?')
      .sort()
  if (path === 'sessions') return json.sessions.map(({ id }: { id: string }) => id.slice(2)).sort()
  return [String(json.results[0]?.interceptions ?? 0)]
}

type Filter = readonly [query: string, value: string, finds: string, only?: readonly Path[]]
const filters: readonly Filter[] = [
  ['initiator', 'bob', 'b'],
  ['initiator', 'u-bob', 'b'],
  ['initiator', 'me', 'a'],
  ['provider', 'openai', 'b'],
  ['provider', 'Openai', ''],
  ['provider_name', 'old-one', 'c'],
  ['provider_name', 'anthropic', 'a'],
  ['model', 'gpt-5.4', 'b'],
  ['model', 'gpt', ''],
  ['client', 'Claude Code', 'ac'],
  ['started_after', at(1000), 'bc'],
  ['started_after', '2026-01-15t11:30:01+01:00', 'bc'],
  ['started_before', at(1000), 'ab'],
  ['session_id', 's-b', 'b', ['interceptions', 'sessions', 'export']],
  ['outcome', 'failed', 'b', ['interceptions', 'export']],
  ['tool', 'Read', 'b', ['interceptions', 'export']],
  ['search', 'parser', 'a', ['interceptions', 'export']],
  ['repo', ' parser ', 'a', ['interceptions', 'export']],
  ['branch', 'main', 'a', ['interceptions', 'export']],
  ['issue', '42', 'a', ['interceptions', 'export']],
  ['issue', '43', '', ['interceptions', 'export']],
]

for (const [name, value, finds, only = ofAll] of filters) {
  test(`${name}=${value} finds ${finds || 'none'}, as a parameter and in q`, async () => {
    for (const path of only) {
      const expected = path === 'stats' ? [String(finds.length)] : [...finds]
      assert.deepEqual(await found(path, `${name}=${enc(value)}`), expected, path)
      assert.deepEqual(await found(path, `q=${enc(`${name}:"${value}"`)}`), expected, `${path} q`)
    }
  })
}

test('empty values and the dashboards’ * are no filters', async () => {
  const names = [...new Set(filters.map(([name]) => name))]
  for (const path of ofAll) {
    const own = names.filter((name) =>
      filters.some(([each, , , only = ofAll]) => each === name && only.includes(path)),
    )
    for (const value of ['', '*']) {
      const wanted = value === '' ? own : own.filter((name) => !name.startsWith('started'))
      const query = wanted.map((name) => `${name}=${value}`).join('&')
      const all = path === 'stats' ? ['3'] : ['a', 'b', 'c']
      assert.deepEqual(await found(path, query), all, `${path} ${value}`)
      assert.deepEqual(await found(path, ''), all)
    }
  }
})

test('filters hold together, and those of q with the others', async () => {
  assert.deepEqual(await found('interceptions', 'client=Claude+Code&q=dan'), ['c'])
  assert.deepEqual(await found('interceptions', 'model=gpt-5.4&initiator=dan'), [])
  assert.deepEqual(await found('interceptions', 'model=gpt-5.4&q=model:gpt-5.4'), ['b'])
})

test('running ones are there on demand, with the names of an end and nothing in them', async () => {
  assert.deepEqual(await found('interceptions', 'include=running'), ['a', 'b', 'c', 'r'])
  const one = await api.get(`interceptions/${running}`)
  const listed = await api.get('interceptions?include=running&limit=1')
  const lines = await api.get('export?include=running')
  const last = lines.text.trim().split('\n').at(-1) ?? ''
  const ended = ['outcome', 'error_type', 'error_message', 'http_status', 'finish_reason']
  ended.push('duration_ms', 'time_to_first_token_ms', 'upstream_ms', 'request_bytes')
  ended.push('response_bytes', 'observed', 'drained', 'ended_at')
  for (const told of [one.json, listed.json.results[0], JSON.parse(last)]) {
    assert.equal(told.id, running)
    for (const name of ended) assert.equal(told[name], null, name)
  }
})

const general = 'Query parameters have invalid values.'
const inQ = 'Invalid workspace search query.'
const inSessionQ = 'Invalid session search query.'
type Bad = readonly [path: string, message: string, ...fields: string[]]

const bad: readonly Bad[] = [
  ['interceptions?limit=-1', general, 'limit'],
  ['interceptions?limit=x', general, 'limit'],
  ['interceptions?limit=2147483648', general, 'limit'],
  ['interceptions?limit=1&limit=2', general, 'limit'],
  ['interceptions?offset=-1', general, 'offset'],
  ['interceptions?offset=1.5', general, 'offset'],
  ['interceptions?after_id=x', general, 'after_id'],
  ['interceptions?nothing=1', general, 'nothing'],
  ['interceptions?limit=*', general, 'limit'],
  ['interceptions?sort=dearest', general, 'sort'],
  ['interceptions?include=all', general, 'include'],
  ['interceptions?outcome=fine', general, 'outcome'],
  ['interceptions?initiator=nobody', general, 'initiator'],
  ['interceptions?initiator=ann&initiator=bob', general, 'initiator'],
  ['interceptions?provider_name=nothing', general, 'provider_name'],
  ['interceptions?repo=%20', general, 'repo'],
  ['interceptions?started_after=yesterday', general, 'started_after'],
  ['interceptions?started_after=2026-02-30T00:00:00Z', general, 'started_after'],
  ['interceptions?started_after=2026-01-15', general, 'started_after'],
  [`interceptions?started_after=${at(2)}&started_before=${at(1)}`, general, 'started_before'],
  [`interceptions?started_after=${at(2)}&started_before=${at(2)}`, general, 'started_before'],
  ['interceptions?q=nothing:1', inQ, 'nothing'],
  ['interceptions?q=limit:1', inQ, 'limit'],
  ['interceptions?q=q:1', inQ, 'q'],
  ['interceptions?q=a:', inQ, 'q'],
  ['interceptions?q=nobody', inQ, 'initiator'],
  ['interceptions?q=model:a+model:b', inQ, 'model'],
  ['interceptions?q=started_before:soon', inQ, 'started_before'],
  ['interceptions?q=model:a&model=b', general, 'model'],
  ['interceptions?q=a&q=b', general, 'q'],
  [
    'interceptions?limit=x&offset=x&nothing=1&initiator=nobody&q=a:b:c',
    general,
    'q',
    'limit',
    'offset',
    'nothing',
    'initiator',
  ],
  ['sessions?q=ann', inSessionQ, 'q'],
  ['sessions?q=outcome:failed', inSessionQ, 'outcome'],
  ['sessions?sort=newest', general, 'sort'],
  ['sessions?outcome=failed', general, 'outcome'],
  ['sessions?limit=a', general, 'limit'],
  ['sessions/s-a?q=x', general, 'q'],
  ['sessions/s-a?initiator=nobody', general, 'initiator'],
  ['interceptions/x?limit=1', general, 'limit'],
  ['models?q=nothing:1', 'Invalid AI Gateway models search query.', 'nothing'],
  ['clients?q=nothing:1', 'Invalid AI Gateway clients search query.', 'nothing'],
  ['providers?q=a:', 'Invalid AI Gateway providers search query.', 'q'],
  ['models?client=x', general, 'client'],
  ['stats?group_by=day', general, 'group_by'],
  ['stats?interval=week', general, 'interval'],
  ['stats?sort=name', general, 'sort'],
  ['stats?offset=1', general, 'offset'],
  ['stats?search=x', general, 'search'],
  ['export?format=xml', general, 'format'],
  ['export?limit=1', general, 'limit'],
  ['stream?limit=1', general, 'limit'],
  ['stream?include=running', general, 'include'],
]

for (const [path, message, ...fields] of bad) {
  test(`${path} is refused for ${fields.join(', ')}`, async () => {
    const { status, json } = await api.get(path)
    assert.equal(status, 400)
    assert.equal(json.message, message)
    assert.deepEqual(
      json.validations.map(({ field }: { field: string }) => field).sort(),
      fields.toSorted(),
    )
  })
}

const unknown = '00000000-0000-7000-8000-000000000000'
const limits = {
  message: 'Invalid pagination limit value.',
  detail: 'Pagination limit must be in range (0, 1000]',
}
/** What scripts written for the reference look for. */
const literal: readonly (readonly [path: string, body: object])[] = [
  ['interceptions?limit=1001', limits],
  ['sessions?limit=1001', limits],
  ['models?limit=1001', limits],
  ['stats?limit=1001', limits],
  [
    `interceptions?after_id=${a}&offset=1`,
    {
      message: general,
      detail: 'Cannot use both after_id and offset pagination in the same request.',
    },
  ],
  [
    'sessions?after_session_id=s-a&offset=1',
    {
      message: general,
      detail: 'Cannot use both after_session_id and offset pagination in the same request.',
    },
  ],
  [
    `interceptions?after_id=${unknown}`,
    {
      message: 'Invalid pagination cursor.',
      detail: `after_id: interception "${unknown}" not found`,
    },
  ],
  [
    'sessions?after_session_id=nothing',
    {
      message: 'Query parameter has invalid value.',
      detail: 'after_session_id: session "nothing" not found',
    },
  ],
  ...['201', '0', '-1', 'abc', '1.5'].map(
    (limit) =>
      [
        `sessions/s-a?limit=${limit}`,
        { message: 'Invalid limit query parameter.', detail: 'Limit must be between 1 and 200.' },
      ] as const,
  ),
  [
    'interceptions?q=__proto__:x',
    {
      message: 'Invalid workspace search query.',
      validations: [
        { field: '__proto__', detail: 'Query param "__proto__" is not a valid query param' },
      ],
    },
  ],
  ['sessions/s-a?after_id=x', { message: 'Invalid after_id query parameter.' }],
  ['sessions/s-a?before_id=x', { message: 'Invalid before_id query parameter.' }],
  [
    `sessions/s-a?after_id=${a}&before_id=${a}`,
    { message: 'Cannot use both after_id and before_id in the same request.' },
  ],
  [
    `sessions/s-a?after_id=${unknown}`,
    { message: 'Invalid pagination cursor.', detail: `after_id: thread "${unknown}" not found` },
  ],
  [
    `sessions/s-a?before_id=${b}`,
    {
      message: 'Invalid pagination cursor.',
      detail: `before_id: thread "${b}" does not belong to session "s-a"`,
    },
  ],
]

for (const [path, body] of literal) {
  test(`${path} is refused in the reference’s words`, async () => {
    const { status, json } = await api.get(path)
    assert.deepEqual([status, json], [400, body])
  })
}

test('ids are the same in capitals', async () => {
  const { json } = await api.get(`interceptions?after_id=${b.toUpperCase()}&limit=1`)
  assert.equal(json.results[0].id, a)
  assert.equal((await api.get(`interceptions/${a.toUpperCase()}`)).json.id, a)
  const { json: none } = await api.get(`sessions/s-a?after_id=${a.toUpperCase()}`)
  assert.deepEqual(none.threads, [])
})

test('a limit of 0, none or an empty one is 100; 1000 is the most', async () => {
  const many = await startApi(Array.from({ length: 130 }, (_, ms) => ({ ms, start: by('ann') })))
  for (const [query, length] of [
    ['', 100],
    ['limit=0', 100],
    ['limit=', 100],
    ['limit=1000', 130],
    ['offset=120', 10],
  ] as const) {
    const { json } = await many.get(`interceptions?${query}`)
    assert.deepEqual([json.count, json.results.length], [130, length], query)
  }
  await many.close()
})

test('names are listed in order, by what they begin with, a page at a time', async () => {
  for (const [path, names] of [
    ['models', ['claude-sonnet-4-5', 'gpt-5.4']],
    ['clients', ['Claude Code', 'Codex']],
    ['providers', ['anthropic', 'openai']],
    ['models?q=gpt', ['gpt-5.4']],
    ['models?model=gpt', ['gpt-5.4']],
    ['clients?q=client:"Claude+C"', ['Claude Code']],
    ['providers?q=x', []],
    ['clients?offset=1', ['Codex']],
    ['clients?limit=1', ['Claude Code']],
  ] as const)
    assert.deepEqual((await api.get(path)).json, names, path)
})

test('sums are by key, sorted as asked, with what has no price', async () => {
  const keysOf = async (query: string) =>
    (await api.get(`stats?${query}`)).json.results.map(({ key }: { key: string }) => key)
  assert.deepEqual(await keysOf('group_by=user'), ['ann', 'bob', 'dan'])
  assert.deepEqual(await keysOf('group_by=user&sort=input_tokens&limit=1'), ['dan'])
  assert.deepEqual(await keysOf('group_by=provider_name'), ['anthropic', 'old-one', 'openai'])
  assert.deepEqual(await keysOf('group_by=tool'), ['Bash', 'Read'])
  const { json } = await api.get('stats?group_by=user&initiator=dan&interval=day')
  assert.deepEqual(json.results, [
    {
      key: 'dan',
      initiator_id: 'u-dan',
      bucket: '2026-01-15T00:00:00.000Z',
      interceptions: 1,
      prompts: 1,
      tool_calls: 0,
      input_tokens: 100,
      output_tokens: 10,
      cache_read_input_tokens: 1000,
      cache_write_input_tokens: 0,
      cost_nano_usd: null,
      unpriced: 1,
    },
  ])
})
