import assert from 'node:assert/strict'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { accountsOf } from '../../../src/server/accounts/open-accounts.ts'
import { createToken, hashToken, isToken } from '../../../src/server/identity/gateway-token.ts'
import { until } from '../../support/harm.ts'
import { routes } from '../../support/questions.ts'
import { type Served, served } from '../../support/served.ts'

const by = (token: string) => ({ headers: { 'x-sluice-token': token } })
const me = '/api/v2/users/me'
const list = '/api/v2/aibridge/interceptions'

test('a token has a prefix, a checksum that tells slips of the pen, and no two are the same', () => {
  const tokens = Array.from({ length: 1000 }, createToken)
  assert.equal(new Set(tokens).size, 1000)
  for (const token of tokens) assert.match(token, /^sluice_[0-9A-Za-z]{46}$/)
  assert.ok(tokens.every(isToken))
  const [token = ''] = tokens
  const changed = token.slice(0, 20) + (token[20] === 'a' ? 'b' : 'a') + token.slice(21)
  assert.equal(isToken(changed), false)
  assert.equal(isToken(`${token}x`), false)
})

test('a token that is revoked over the API is refused at once, and so is one whose user is removed', async (t) => {
  const gateway = await open(t)
  const owner = await gateway.user('ann', 'owner')
  const tokens = [await gateway.user('bob', 'member'), await gateway.user('cem', 'member')]
  for (const token of tokens) assert.equal((await gateway.send(me, by(token))).status, 200)
  const { json } = await gateway.send('/api/v2/users/bob/tokens', by(owner))
  const revoked = { ...by(owner), method: 'DELETE' }
  assert.equal((await gateway.send(`/api/v2/tokens/${json.tokens[0].id}`, revoked)).status, 204)
  assert.equal((await gateway.send('/api/v2/users/cem', revoked)).status, 204)
  for (const token of tokens) assert.equal((await gateway.send(me, by(token))).status, 401)
})

test('a role that is changed counts at once, and the only owner stays one', async (t) => {
  const gateway = await open(t)
  const owner = await gateway.user('ann', 'owner')
  const bob = await gateway.user('bob', 'member')
  assert.equal((await gateway.send('/metrics', by(bob))).status, 403)
  const change = { ...by(owner), method: 'PUT', body: { role: 'auditor' } }
  assert.equal((await gateway.send('/api/v2/users/bob', change)).json.role, 'auditor')
  assert.equal((await gateway.send('/metrics', by(bob))).status, 200)
  assert.equal((await gateway.send('/api/v2/users/ann', change)).status, 409)
  const removal = { ...by(owner), method: 'DELETE' }
  assert.equal((await gateway.send('/api/v2/users/ann', removal)).status, 409)
})

test('users and tokens are made over the API, and all faults of a body are told at once', async (t) => {
  const gateway = await open(t)
  const owner = await gateway.user('ann', 'owner')
  const post = (path: string, body: unknown) => gateway.send(path, { ...by(owner), body })
  const name = 'Łucja/ó @example'
  const user = await post('/api/v2/users', { username: name })
  assert.equal(user.status, 201)
  assert.deepEqual(Object.keys(user.json), ['id', 'username', 'role', 'created_at'])
  assert.equal(user.json.role, 'member')
  assert.equal((await post('/api/v2/users', { username: name })).status, 409)
  const path = `/api/v2/users/${encodeURIComponent(name)}/tokens`
  const made = await post(path, { name: 'laptop', expires_in: 60 })
  assert.equal(made.status, 201, made.text)
  assert.ok(isToken(made.json.token))
  assert.equal((await gateway.send(me, by(made.json.token))).json.username, name)
  const { json } = await gateway.send(path, by(owner))
  assert.equal(json.count, 1)
  assert.ok(!JSON.stringify(json).includes(made.json.token))
  const { token: _, ...shown } = made.json
  assert.deepEqual({ ...json.tokens[0], last_used_at: null }, shown)
  for (const bad of [
    { username: 5, role: 'king', more: 1 },
    { username: '' },
    { username: 'me' },
    { username: 'a\u0007' },
    [],
    'text',
  ]) {
    const reply = await post('/api/v2/users', bad)
    assert.equal(reply.status, 400, JSON.stringify(bad))
    assert.equal(typeof reply.json.message, 'string')
  }
  const { validations } = (await post('/api/v2/users', { username: 5, role: 'king', more: 1 })).json
  assert.deepEqual(validations.map(({ field }: { field: string }) => field).sort(), [
    'more',
    'role',
    'username',
  ])
  for (const bad of [{ expires_in: 0 }, { expires_in: 'x' }, { name: 7 }, { name: '\u001b[2J' }])
    assert.equal((await post(path, bad)).status, 400, JSON.stringify(bad))
})

test('a token that has expired is refused', async (t) => {
  const gateway = await open(t)
  await gateway.user('ann', 'owner')
  const { accounts } = gateway.running
  const { token } = await accounts.createToken({ username: 'ann', expiresIn: 150 })
  assert.equal((await gateway.send(me, by(token))).status, 200)
  await until(async () => (await gateway.send(me, by(token))).status === 401)
})

test('the last use of a token is told', async (t) => {
  const gateway = await open(t)
  const owner = await gateway.user('ann', 'owner')
  const before = Date.now() - 1
  const used = await until(
    async () => (await gateway.send('/api/v2/tokens', by(owner))).json.tokens[0].last_used_at,
  )
  assert.ok(Date.parse(used) > before)
})

test('a member sees own records only, and nobody’s by guessing an id or by a shared session or tool call', async (t) => {
  const gateway = await open(t)
  const users = Object.fromEntries(
    await Promise.all(
      (['ann', 'bob', 'eve'] as const).map(
        async (name) =>
          [name, await gateway.user(name, name === 'eve' ? 'auditor' : 'member')] as const,
      ),
    ),
  ) as Record<'ann' | 'bob' | 'eve', string>
  const ask = async (token: string, messages: readonly object[]) => {
    const reply = await gateway.send(routes.chat.path, {
      headers: {
        'x-sluice-token': token,
        'x-session-id': 'ses_shared',
        'user-agent': 'opencode/1.0',
      },
      body: { ...routes.chat.ask, messages },
    })
    assert.equal(reply.status, 200)
    return String(reply.headers['x-sluice-interception-id'])
  }
  const call = { id: 'call_1', type: 'function', function: { name: 'x', arguments: '{}' } }
  gateway.upstream.next({ answer: { calls: [{ name: 'x', input: {} }] } })
  const annsRoot = await ask(users.ann, [{ role: 'user', content: 'the secret of ann' }])
  const stored = await gateway.running.recorder.interception(annsRoot)
  call.id = stored?.toolUsages[0]?.toolCallId ?? 'none'
  assert.notEqual(call.id, 'none')
  // Bob sends the id of a call that Ann's model made, and names her session.
  const bobs = await ask(users.bob, [
    { role: 'user', content: 'bob asks' },
    { role: 'assistant', tool_calls: [call] },
    { role: 'tool', tool_call_id: call.id, content: 'done' },
  ])
  const kin = await gateway.running.recorder.interception(bobs)
  assert.equal(kin?.start.threadParentId, null)
  assert.equal(kin?.start.threadRootId, null)

  const seen = async (token: string, query = '') => {
    const { json } = await gateway.send(`${list}${query}`, by(token))
    assert.equal(json.count, json.results.length)
    return json.results.map(({ id }: { id: string }) => id)
  }
  for (const query of ['', '?initiator=me', '?initiator=bob'])
    assert.deepEqual(await seen(users.bob, query), [bobs])
  const annsId = String(stored?.start.initiatorId)
  // To a member another user is as little there as one who never was.
  for (const other of ['ann', annsId, 'nobody']) {
    const { status, json } = await gateway.send(`${list}?initiator=${other}`, by(users.bob))
    assert.equal(status, 400)
    assert.deepEqual(json.validations, [
      {
        field: 'initiator',
        detail: `Query param "initiator" has invalid value: user "${other}" either does not exist, or you are unauthorized to view them`,
      },
    ])
  }
  assert.deepEqual(await seen(users.ann), [annsRoot])
  assert.deepEqual(await seen(users.eve), [bobs, annsRoot])
  assert.deepEqual(await seen(users.eve, '?initiator=me'), [])
  const theirs = await gateway.send(`${list}/${annsRoot}`, by(users.bob))
  const nothings = await gateway.send(`${list}/no-such-thing`, by(users.bob))
  assert.deepEqual([theirs.status, theirs.json], [404, nothings.json])
  assert.equal((await gateway.send(`${list}/${annsRoot}`, by(users.eve))).status, 200)
})

test('too many wrong tokens of one address have to wait, and those that are right go on', async (t) => {
  const gateway = await open(t)
  const known = await gateway.user('ann', 'owner')
  assert.equal((await gateway.send(me, by(known))).status, 200)
  const statuses: number[] = []
  for (let i = 0; i < 25; i++) statuses.push((await gateway.send(me, by(createToken()))).status)
  assert.equal(statuses[0], 401)
  assert.equal(statuses.at(-1), 429)
  const told = await gateway.send(routes.messages.path, {
    ...by(createToken()),
    body: routes.messages.ask,
  })
  assert.equal(told.status, 429)
  assert.equal(told.json.error.type, 'rate_limit_error')
  assert.ok(Number(told.headers['retry-after']) >= 1)
  assert.equal((await gateway.send(me, by(known))).status, 200)
  // Nobody without a token is counted, or kept from being told that one is needed.
  assert.equal((await gateway.send(me)).status, 401)
  assert.ok(gateway.log.some((line) => /too many wrong tokens.*127\.0\.0\.1/.test(line)))
})

test('the bootstrap token is the first owner’s, on an empty store alone', async () => {
  const store = `sqlite:${join(mkdtempSync(join(tmpdir(), 'sluice-first-')), 'sluice.db')}`
  const token = 'a-token-that-somebody-chose-for-the-first-owner'
  const first = await served({ auth: 'tokens', store, bootstrapToken: token })
  assert.deepEqual((await first.send(me, by(token))).json.role, 'owner')
  assert.ok(!first.log.join().includes(token))
  // Also where agents put it, though it does not look like one of ours.
  const asked = await first.send(routes.chat.path, {
    headers: ['Authorization', `Bearer ${token}`, 'X-Other', token],
    body: routes.chat.ask,
  })
  assert.equal(asked.status, 200)
  assert.ok(!first.upstream.requests[0]?.rawHeaders.join().includes(token))
  const [{ id }] = (await first.send('/api/v2/tokens', by(token))).json.tokens
  await first.user('ann', 'owner')
  assert.equal(
    (await first.send(`/api/v2/tokens/${id}`, { ...by(token), method: 'DELETE' })).status,
    204,
  )
  await first.close()

  const second = await served({ auth: 'tokens', store, bootstrapToken: token })
  assert.equal((await second.send(me, by(token))).status, 401)
  await second.close()
})

test('a gateway that has no user says how to make one', async (t) => {
  const gateway = await open(t)
  assert.ok(gateway.log.some((line) => line.includes('sluice users add NAME --role owner')))
})

test('what another process does to the store counts soon', async (t) => {
  const store = `sqlite:${join(mkdtempSync(join(tmpdir(), 'sluice-two-')), 'sluice.db')}`
  const gateway = await served({ auth: 'tokens', store })
  t.after(() => gateway.close())
  const other = await accountsOf(store)
  t.after(() => other.close())
  const token = createToken()
  const createdAt = Date.now()
  await other.addUser({ id: 'u', username: 'ann', role: 'owner', createdAt })
  const facts = { id: 't', username: 'ann', name: '', hint: '', createdAt, expiresAt: null }
  await other.addToken({ ...facts, hash: hashToken(token) })
  assert.equal((await gateway.send(me, by(token))).status, 200)
})

async function open(t: { after(close: () => Promise<void>): void }): Promise<Served> {
  const gateway = await served({ auth: 'tokens' })
  t.after(() => gateway.close())
  return gateway
}
