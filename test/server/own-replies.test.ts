import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { type IncomingMessage, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { connect } from 'node:tls'
import { routes } from '../support/questions.ts'
import { served } from '../support/served.ts'
import { testCertificate } from '../support/test-certificate.ts'

const ours = [
  'x-request-id',
  'x-content-type-options',
  'x-frame-options',
  'referrer-policy',
  'content-security-policy',
]

test('REST, pages and errors of ours carry headers of ours, a provider’s reply none of them', async (t) => {
  const gateway = await served({ auth: 'tokens' })
  t.after(() => gateway.close())
  const token = await gateway.user('ann', 'owner')
  const by = { headers: { 'x-sluice-token': token } }
  for (const path of [
    '/',
    '/healthz',
    '/readyz',
    '/metrics',
    '/nothing',
    '/api/v2/aibridge/interceptions',
    '/api/v2/users',
    '/anthropic/v1/models',
  ])
    for (const headers of path.startsWith('/anthropic') ? [{}] : [{}, by.headers]) {
      const reply = await gateway.send(path, { headers })
      for (const name of ours) assert.ok(reply.headers[name], `${path} ${name}`)
      assert.equal(reply.headers['access-control-allow-origin'], undefined)
    }
  for (const path of [routes.messages.path, '/anthropic/v1/models']) {
    const body = path.endsWith('models') ? undefined : routes.messages.ask
    const reply = await gateway.send(path, { ...by, ...(body && { body }) })
    assert.equal(reply.status, 200)
    for (const name of ours) assert.equal(reply.headers[name], undefined, `${path} ${name}`)
  }
})

test('a request keeps the id that it came with, where that is fit for a log', async (t) => {
  const gateway = await served()
  t.after(() => gateway.close())
  const id = async (sent: string) =>
    (await gateway.send('/healthz', { headers: { 'x-request-id': sent } })).headers['x-request-id']
  assert.equal(await id('my-id.1'), 'my-id.1')
  assert.match(String(await id('"><script>')), /^[0-9a-f-]{36}$/)
  assert.notEqual(await id(''), await id(''))
})

test('each request of the API is a line in the log, changes at info, with who and without the query', async (t) => {
  const gateway = await served({ auth: 'tokens' })
  t.after(() => gateway.close())
  const token = await gateway.user('ann', 'owner')
  const headers = { 'x-sluice-token': token, 'x-request-id': 'id-1' }
  await gateway.send('/api/v2/aibridge/interceptions?initiator=me', { headers })
  await gateway.send('/api/v2/users', { headers, body: { username: 'bob' } })
  await gateway.send('/api/v2/users')
  const lines = gateway.log.filter((line) => line.includes('/api/v2/'))
  assert.match(
    lines[0] ?? '',
    /^debug GET \/api\/v2\/aibridge\/interceptions 200 .*"request_id":"id-1".*"user":"ann"/,
  )
  assert.match(lines[1] ?? '', /^info POST \/api\/v2\/users 201 /)
  assert.match(lines[2] ?? '', /^debug GET \/api\/v2\/users 401 /)
  assert.ok(!gateway.log.join().includes('somebody'))
})

test('who leaves amid a long list is no error in the log', async (t) => {
  const gateway = await served()
  t.after(() => gateway.close())
  const { path, ask } = routes.chat
  const body = { ...ask, messages: [{ role: 'user', content: 'x'.repeat(200_000) }] }
  for (let i = 0; i < 40; i++) assert.equal((await gateway.send(path, { body })).status, 200)
  for (const what of ['interceptions', 'export']) {
    const asked = request(`${gateway.url}/api/v2/aibridge/${what}`, { agent: false }).end()
    const [reply] = (await once(asked, 'response')) as [IncomingMessage]
    reply.on('error', () => {}).destroy()
    while (!gateway.log.some((line) => line.includes(`/aibridge/${what}`)))
      await new Promise((resolve) => setTimeout(resolve, 20))
  }
  const failed = () => gateway.log.filter((line) => line.includes('a request failed'))
  while (failed().length < 2) await new Promise((resolve) => setTimeout(resolve, 20))
  for (const line of failed()) assert.match(line, /^debug /)
})

test('web pages of the origins that are listed may use the API, and no others', async (t) => {
  const gateway = await served({
    auth: 'tokens',
    corsOrigins: 'https://dash.example,http://localhost:3000',
  })
  t.after(() => gateway.close())
  const token = await gateway.user('ann', 'owner')
  const from = (origin: string, method = 'GET') =>
    gateway.send('/api/v2/aibridge/interceptions', {
      method,
      headers: {
        origin,
        ...(method === 'OPTIONS'
          ? {
              'access-control-request-method': 'GET',
              'access-control-request-headers': 'x-sluice-token',
            }
          : { 'x-sluice-token': token }),
      },
    })
  for (const origin of ['https://dash.example', 'http://localhost:3000']) {
    const asked = await from(origin, 'OPTIONS')
    assert.equal(asked.status, 204)
    assert.equal(asked.headers['access-control-allow-headers'], 'x-sluice-token')
    const reply = await from(origin)
    assert.equal(reply.status, 200)
    assert.equal(reply.headers['access-control-allow-origin'], origin)
    assert.equal(reply.headers['access-control-allow-credentials'], undefined)
  }
  for (const origin of ['https://evil.example', 'null'])
    for (const method of ['GET', 'OPTIONS'])
      assert.equal((await from(origin, method)).headers['access-control-allow-origin'], undefined)
  const relayed = await gateway.send(routes.chat.path, {
    headers: { origin: 'https://dash.example', 'x-sluice-token': token },
    body: routes.chat.ask,
  })
  assert.equal(relayed.headers['access-control-allow-origin'], undefined)
})

test('with a certificate the gateway serves https, at least TLS 1.2, and nothing else', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-tls-'))
  writeFileSync(join(folder, 'cert.pem'), testCertificate.cert)
  writeFileSync(join(folder, 'key.pem'), testCertificate.key)
  const gateway = await served({
    tlsCertFile: join(folder, 'cert.pem'),
    tlsKeyFile: join(folder, 'key.pem'),
    host: 'localhost',
  })
  t.after(() => gateway.close())
  assert.match(gateway.url, /^https:\/\/localhost:\d+$/)
  const reply = await gateway.send(routes.messages.path, {
    headers: { 'x-api-key': 'sk-mine' },
    body: { ...routes.messages.ask, stream: true },
  })
  assert.equal(reply.status, 200)
  assert.match(reply.text, /event: message_stop/)
  assert.ok((await gateway.send('/')).text.includes(`ANTHROPIC_BASE_URL=${gateway.url}/anthropic`))
  await assert.rejects(
    gateway.send('/healthz').then(() => fetch(gateway.url.replace('https', 'http'))),
  )
  const port = Number(new URL(gateway.url).port)
  const old = connect({
    port,
    ca: testCertificate.cert,
    maxVersion: 'TLSv1.1',
    minVersion: 'TLSv1.1',
    ciphers: 'ALL@SECLEVEL=0',
  })
  const [error] = await once(old, 'error')
  assert.match(String(error), /protocol|version/i)
})
