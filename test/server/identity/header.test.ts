import assert from 'node:assert/strict'
import { test } from 'node:test'
import { clientAddress, isNetwork, networks } from '../../../src/server/identity/networks.ts'
import { routes } from '../../support/questions.ts'
import { served } from '../../support/served.ts'

const me = '/api/v2/users/me'

test('who the trusted proxy names is who asks, and no provider hears the name', async (t) => {
  const gateway = await served({
    auth: 'header',
    trustedProxies: '127.0.0.1',
    authHeader: 'X-Login',
  })
  t.after(() => gateway.close())
  const name = Buffer.from('Łucja').toString('latin1')
  const headers = { 'x-login': name, authorization: 'Bearer sk-mine' }
  const reply = await gateway.send(routes.chat.path, { headers, body: routes.chat.ask })
  assert.equal(reply.status, 200)
  const stored = await gateway.running.recorder.interception(
    String(reply.headers['x-sluice-interception-id']),
  )
  assert.equal(stored?.start.initiatorUsername, 'Łucja')
  assert.equal(stored?.start.credentialKind, 'byok')
  const got = gateway.upstream.requests[0]?.rawHeaders.join('\n') ?? ''
  assert.ok(got.includes('Bearer sk-mine') && !/x-login/i.test(got), got)
})

test('a role is what the store says of the name', async (t) => {
  const gateway = await served({ auth: 'header', trustedProxies: '127.0.0.1' })
  t.after(() => gateway.close())
  await gateway.user('ann', 'auditor')
  const role = async (user: string) =>
    (await gateway.send(me, { headers: { 'x-forwarded-user': user } })).json.role
  assert.deepEqual([await role('ann'), await role('bob')], ['auditor', 'member'])
  await gateway.running.accounts.addUser('bob', 'owner')
  assert.equal(await role('bob'), 'owner')
})

test('the header counts from nobody but the proxy, once, and with a usable name', async (t) => {
  const strict = await served({ auth: 'header', trustedProxies: '10.0.0.0/8' })
  const open = await served({ auth: 'header', trustedProxies: '127.0.0.1' })
  t.after(() => Promise.all([strict.close(), open.close()]))
  const stranger = await strict.send(me, { headers: { 'x-forwarded-user': 'ann' } })
  assert.deepEqual([stranger.status, strict.upstream.requests.length], [401, 0])
  const asked = await strict.send(routes.messages.path, {
    headers: { 'x-forwarded-user': 'ann', 'x-forwarded-for': '10.0.0.1' },
    body: routes.messages.ask,
  })
  assert.deepEqual([asked.status, asked.json.error.type], [403, 'permission_error'])
  for (const headers of [
    {},
    { 'x-forwarded-user': '' },
    { 'x-forwarded-user': 'x'.repeat(300) },
    ['X-Forwarded-User', 'ann', 'X-Forwarded-User', 'bob'],
    ['X-Forwarded-User', 'ann', 'X-Forwarded-User', 'ann'],
    { 'x-sluice-user': 'ann' },
  ])
    assert.equal((await open.send(me, { headers })).status, 401, JSON.stringify(headers))
})

test('a web page of another origin is refused, since the proxy may know its user by a cookie', async (t) => {
  const flags = { auth: 'header', trustedProxies: '127.0.0.1', corsOrigins: 'https://dash.example' }
  const gateway = await served(flags)
  t.after(() => gateway.close())
  const from = async (headers: Record<string, string>) =>
    (await gateway.send(me, { headers: { 'x-forwarded-user': 'ann', ...headers } })).status
  assert.equal(await from({ origin: 'https://evil.example' }), 403)
  assert.equal(await from({ 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' }), 403)
  assert.equal(await from({ origin: gateway.url }), 200)
  assert.equal(await from({ origin: 'https://dash.example' }), 200)
  const outside = { 'x-forwarded-host': 'ai.example', 'x-forwarded-proto': 'https' }
  assert.equal(await from({ ...outside, origin: 'https://ai.example' }), 200)
  assert.equal(await from({ ...outside, origin: 'http://ai.example' }), 403)
})

test('networks are told from other texts, and hold their addresses however they are written', () => {
  for (const text of ['10.0.0.0/8', '::1', '192.168.1.7', '2001:db8::/32', '0.0.0.0/0'])
    assert.equal(isNetwork(text), true, text)
  for (const text of [
    '',
    '10.0.0/8',
    '10.0.0.0/33',
    '::/129',
    'localhost',
    '10.0.0.0/8/8',
    '1.1.1.1/',
  ])
    assert.equal(isNetwork(text), false, text)
  const some = networks(['10.0.0.0/8', '2001:db8::/32', '::ffff:127.0.0.1'])
  for (const address of ['10.1.2.3', '::ffff:10.1.2.3', '2001:db8::5', '127.0.0.1'])
    assert.equal(some.has(address), true, address)
  for (const address of ['11.0.0.1', '::ffff:11.0.0.1', '::1', 'fe80::1%eth0', '', undefined])
    assert.equal(some.has(address), false, address)
})

test('the client’s address is what the last trusted proxy says, never what the client says', () => {
  const trusted = networks(['10.0.0.0/8'])
  const address = (remoteAddress: string, forwarded?: string) =>
    clientAddress(
      { socket: { remoteAddress }, headers: { 'x-forwarded-for': forwarded } } as never,
      trusted,
    )
  assert.equal(address('1.2.3.4', '9.9.9.9'), '1.2.3.4')
  assert.equal(address('::ffff:10.0.0.1', '9.9.9.9, 5.6.7.8'), '5.6.7.8')
  assert.equal(address('10.0.0.1', '9.9.9.9, 5.6.7.8, 10.0.0.2'), '5.6.7.8')
  assert.equal(address('10.0.0.1'), '10.0.0.1')
  assert.equal(address('10.0.0.1', 'unknown'), '10.0.0.1')
})
