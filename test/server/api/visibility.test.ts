import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { by, startApi, type TestApi } from '../../support/api.ts'
import { idAt, type Plan } from '../../support/stored-records.ts'

// Two members have sessions of one id; the reference mixes them (a client's id is free text).
const anns = idAt(0)
const bobs = idAt(1000)
const dans = idAt(2000)
const dansOwn = idAt(3000)
const model = (name: string) => ({ model: `model-of-${name}`, client: `client-of-${name}` })
const plans: readonly Plan[] = [
  { id: anns, start: { ...by('ann'), sessionId: 'anns' }, prompt: 'of ann', tools: ['Bash'] },
  {
    id: bobs,
    ms: 1000,
    start: { ...by('bob'), ...model('bob'), sessionId: 'shared' },
    prompt: 'of bob',
    tools: ['Bash'],
  },
  {
    id: dans,
    ms: 2000,
    // A stranger's interception as its root: somebody else's tool call was answered.
    start: {
      ...by('dan'),
      ...model('dan'),
      sessionId: 'shared',
      threadRootId: bobs,
      threadParentId: bobs,
    },
    tools: ['Steal'],
  },
  {
    id: dansOwn,
    ms: 3000,
    start: { ...by('dan'), ...model('dan'), sessionId: 'shared' },
    prompt: 'of dan',
  },
]

let api: TestApi
before(async () => {
  api = await startApi(plans)
})
after(() => api.close())

test('members get their own in every list and sum, auditors and owners all', async () => {
  for (const [who, ids, sessions] of [
    ['bob', [bobs], ['u-bob shared']],
    ['dan', [dansOwn, dans], ['u-dan shared']],
    ['eve', [dansOwn, dans, bobs, anns], ['u-ann anns', 'u-bob shared', 'u-dan shared']],
    ['ann', [dansOwn, dans, bobs, anns], ['u-ann anns', 'u-bob shared', 'u-dan shared']],
    ['new', [], []],
  ] as const) {
    const list = (await api.get('interceptions', who)).json
    assert.deepEqual(
      [list.count, list.results.map(({ id }: { id: string }) => id)],
      [ids.length, ids],
      who,
    )
    const seen = (await api.get('sessions', who)).json
    const told = seen.sessions.map(
      ({ id, initiator }: { id: string; initiator: { id: string } }) => `${initiator.id} ${id}`,
    )
    assert.deepEqual([seen.count, told.sort()], [sessions.length, sessions], who)
    const [sums] = (await api.get('stats', who)).json.results
    assert.equal(sums?.interceptions ?? 0, ids.length)
    const lines = (await api.get('export', who)).text.split('\n').slice(0, -1)
    assert.deepEqual(lines.map((line) => JSON.parse(line).id).sort(), ids.toSorted())
    const rows = (await api.get('export?format=csv', who)).text.split('\n').slice(1, -1)
    assert.equal(rows.length, ids.length)
  }
  for (const path of ['models', 'clients']) {
    const name = `${path.slice(0, -1)}-of-bob`
    assert.deepEqual((await api.get(path, 'bob')).json, [name])
    assert.equal((await api.get(path, 'eve')).json.length, 3)
  }
})

test('by no filter a member gets at others’', async () => {
  for (const query of [
    'session_id=shared',
    `q=session_id:shared`,
    'tool=Steal',
    'search=dan',
    'model=model-of-dan',
  ]) {
    const { json } = await api.get(`interceptions?${query}`, 'bob')
    for (const { initiator } of json.results) assert.equal(initiator.id, 'u-bob', query)
  }
  assert.equal((await api.get('stats?group_by=tool', 'bob')).json.results.length, 1)
})

test('a member who asks for others hears what it would of nobody', async () => {
  for (const path of ['interceptions', 'sessions', 'stats', 'export', 'stream', 'sessions/shared'])
    for (const other of ['ann', 'u-ann', 'nobody']) {
      const { status, json } = await api.get(`${path}?initiator=${other}`, 'bob')
      assert.equal(status, 400, path)
      assert.equal(
        json.validations[0].detail,
        `Query param "initiator" has invalid value: user "${other}" either does not exist, or you are unauthorized to view them`,
      )
    }
  // A provider that only others used.
  await api.put({ ms: 9000, start: { ...by('ann'), providerName: 'secret', sessionId: 'x' } })
  assert.equal((await api.get('interceptions?provider_name=secret', 'bob')).status, 400)
  assert.equal((await api.get('interceptions?provider_name=secret', 'eve')).status, 200)
})

test('another’s interception or session is as little there as none', async () => {
  const nothing = await api.get('interceptions/nothing', 'bob')
  for (const path of [`interceptions/${anns}`, `interceptions/${dans}`]) {
    const { status, json } = await api.get(path, 'bob')
    assert.deepEqual([status, json], [404, nothing.json], path)
    assert.equal((await api.get(path, 'eve')).status, 200)
  }
  const none = await api.get('sessions/nothing', 'bob')
  const { status, json } = await api.get('sessions/anns', 'bob')
  assert.deepEqual([status, json], [404, none.json])
})

test('another’s cursor is no cursor', async () => {
  for (const [path, id] of [
    [`interceptions?after_id=${anns}`, anns],
    ['sessions?after_session_id=anns', 'anns'],
    ['sessions?after_session_id=shared&after_initiator_id=u-dan', 'shared'],
    [`sessions/shared?after_id=${dansOwn}`, dansOwn],
    [`sessions/shared?before_id=${anns}`, anns],
  ] as const) {
    const { status, json } = await api.get(path, 'bob')
    assert.equal(status, 400, path)
    assert.match(json.detail, new RegExp(`"${id}" not found$`))
  }
})

test('a session id of two users: each sees their own whole, who sees both must say whose', async () => {
  for (const who of ['bob', 'dan'] as const) {
    const { json } = await api.get('sessions/shared', who)
    assert.equal(json.initiator.username, who)
    assert.deepEqual(json.models, [`model-of-${who}`])
    assert.deepEqual(
      json.threads.map(({ prompt }: { prompt: string }) => prompt),
      [`of ${who}`],
    )
    // The leak of the reference: whose root is a stranger's is not in the stranger's thread.
    const tools = JSON.stringify(json.threads)
    assert.ok(!tools.includes(who === 'bob' ? 'Steal' : 'Bash'))
    const asked = await api.get(`sessions/shared?initiator=${who}`, 'eve')
    assert.deepEqual(asked.json, json)
    assert.deepEqual((await api.get(`sessions/shared?initiator=u-${who}`, 'ann')).json, json)
    assert.deepEqual((await api.get('sessions/shared?initiator=me', who)).json, json)
  }
  const { status, json } = await api.get('sessions/shared', 'eve')
  assert.equal(status, 409)
  assert.deepEqual(json.initiators, [
    { id: 'u-bob', username: 'bob' },
    { id: 'u-dan', username: 'dan' },
  ])
})

test('a page goes on behind a session whose id two users have, where it is said whose it is', async () => {
  const next = async (query: string) => {
    const { status, json } = await api.get(`sessions?after_session_id=shared&${query}`, 'eve')
    return status === 200 ? json.sessions.map(({ id }: { id: string }) => id) : json.detail
  }
  assert.deepEqual(await next('session_id=anns&after_initiator_id=u-bob'), ['anns'])
  // One user's list names them, by name or by id.
  for (const whose of ['bob', 'u-bob', 'dan'])
    assert.deepEqual(await next(`initiator=${whose}`), [])
  assert.deepEqual(await next(`q=initiator:dan`), [])
  assert.equal(
    await next(''),
    'after_session_id: several users have a session "shared": say whose it is with after_initiator_id',
  )
})

test('who is unknown gets a 401, and the description', async () => {
  for (const path of ['interceptions', 'sessions/shared', 'stats', 'export', 'stream'])
    assert.equal((await api.get(path, '')).status, 401, path)
  assert.equal((await api.get('openapi.json', '')).status, 200)
})
