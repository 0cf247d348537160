import assert from 'node:assert/strict'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { createToken } from '../../../src/server/identity/gateway-token.ts'
import { mongoServers } from '../../support/mongo.ts'
import { needs } from '../../support/needs.ts'
import { routes } from '../../support/questions.ts'
import { served } from '../../support/served.ts'

const [kind] = mongoServers()

test('a store that goes away locks out nobody who was there, and tells others to come again', {
  skip: needs('mongo', kind !== undefined),
}, async (t) => {
  const server = await kind?.start()
  if (!server || kind?.survives === 'unknown') return
  t.after(() => server.remove())
  const journal = join(mkdtempSync(join(tmpdir(), 'sluice-away-')), 'journal')
  const store = `${server.uri}sluice?serverSelectionTimeoutMS=500`
  const gateway = await served({ auth: 'tokens', store, journal })
  t.after(() => gateway.close())
  const token = await gateway.user('ann', 'owner')
  const ask = (text: string) =>
    gateway.send(routes.messages.path, {
      headers: { 'x-sluice-token': text },
      body: routes.messages.ask,
    })
  assert.equal((await ask(token)).status, 200)
  await server.end('stop')
  assert.equal((await ask(token)).status, 200)
  const stranger = await ask(createToken())
  assert.equal(stranger.status, 503)
  assert.equal(stranger.json.error.type, 'overloaded_error')
  assert.ok(stranger.headers['retry-after'])
  // What the driver says of hosts is for the log.
  assert.ok(!stranger.text.includes('127.0.0.1'), stranger.text)
  assert.ok(gateway.log.some((line) => /tokens cannot be checked: .*127\.0\.0\.1/.test(line)))
  const users = await gateway.send('/api/v2/users', { headers: { 'x-sluice-token': token } })
  assert.deepEqual([users.status, Object.keys(users.json)], [500, ['message']])
  await server.restart()
  assert.equal((await ask(createToken())).status, 403)
})
