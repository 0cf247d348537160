import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, test } from 'node:test'
import { SignJWT } from 'jose'
import { errors, Provider } from 'oidc-provider'
import { undiciTransport } from '../../../src/core/transports/undici.ts'
import { issuerFetch } from '../../../src/server/identity/issuer-fetch.ts'
import { issuerKeys } from '../../../src/server/identity/issuer-keys.ts'
import { jwtCheck } from '../../../src/server/identity/jwt-check.ts'
import { startGateway } from '../../support/gateway-process.ts'
import { type Issuer, startIssuer } from '../../support/issuer.ts'
import { routes } from '../../support/questions.ts'
import { served } from '../../support/served.ts'

const by = (token: string) => ({ headers: { 'x-sluice-token': token } })
const me = '/api/v2/users/me'

let issuer: Issuer
before(async () => {
  issuer = await startIssuer()
})
after(() => issuer.close())

const options = (more: object = {}) => ({
  issuer: issuer.url,
  audience: 'sluice',
  usernameClaim: 'preferred_username',
  roleClaim: 'roles',
  keys: issuerKeys({ issuer: issuer.url, jwksUrl: undefined, fetch: reach }),
  ...more,
})
const { send } = undiciTransport({})
const reach = issuerFetch(send)
const ann = { sub: 'subject-1', preferred_username: 'ann' }

test('a token of a real OpenID Connect issuer is taken, with the user and role that it names', async (t) => {
  const oidc = await startProvider()
  const audience = 'https://sluice.example'
  const gateway = await served({
    auth: 'jwt',
    jwtIssuer: oidc.url,
    jwtAudience: audience,
    jwtUsernameClaim: 'client_name',
    jwtRoleClaim: 'access.sluice',
  })
  t.after(async () => {
    await gateway.close()
    await oidc.close()
  })
  const token = await oidc.token(audience)
  assert.equal(token.split('.').length, 3)
  const { json, status } = await gateway.send(me, by(token))
  assert.equal(status, 200, JSON.stringify(json))
  assert.deepEqual(json, { id: 'nightly', username: 'nightly build', role: 'auditor' })
  assert.equal((await gateway.send('/metrics', by(token))).status, 200)
  for (const headers of [
    { authorization: `Bearer ${token}` },
    { 'x-api-key': token },
    { 'x-sluice-token': token, authorization: `Bearer ${token}` },
  ]) {
    const reply = await gateway.send(routes.chat.path, { headers, body: routes.chat.ask })
    assert.equal(reply.status, 200, reply.text)
    const got = gateway.upstream.requests.at(-1)?.rawHeaders.join('\n') ?? ''
    assert.ok(!got.includes(token) && got.includes('sk-configured-openai'), got)
  }
  const other = await oidc.token('https://another.example')
  assert.equal((await gateway.send(me, by(other))).status, 401)
})

test('what is wrong with a token is told, and none of these is taken', async () => {
  const check = jwtCheck(options())
  const { sign } = issuer
  const [head, body] = (await sign(ann)).split('.')
  const none = Buffer.from('{"alg":"none"}').toString('base64url')
  const secret = new TextEncoder().encode('a shared secret of enough length for HS256')
  const cases: [string, RegExp][] = [
    [await sign(ann, { expires: -31 }), /has expired/],
    [await sign(ann, { audience: 'another' }), /"aud"/],
    [await sign(ann, { issuer: 'https://evil.example' }), /"iss"/],
    [await sign({ ...ann, nbf: Math.floor(Date.now() / 1000) + 60 }), /"nbf"/],
    [await sign(ann, { algorithm: 'HS256', key: secret }), /signed in a way/],
    [`${none}.${body}.`, /signed in a way|no JSON Web Token|not signed/],
    [`${head}.${body}.${'A'.repeat(86)}`, /not signed by the issuer/],
    [`${head}.${Buffer.from('{}').toString('base64url')}.${'A'.repeat(86)}`, /not signed/],
    ['not.a.jwt', /no JSON Web Token/],
    ['sk-something', /no JSON Web Token/],
    [await sign({ sub: 'x' }), /names nobody in its claim "preferred_username"/],
    [await sign({ ...ann, preferred_username: ['ann'] }), /names nobody/],
    [await sign({ ...ann, preferred_username: 'a\u0000b' }), /names nobody/],
  ]
  for (const [token, fault] of cases) {
    await assert.rejects(check.caller(token), (error: Error & { code: string; status: number }) => {
      assert.deepEqual([error.code, error.status], ['ERR_BAD_TOKEN', 403], error.message)
      assert.match(error.message, fault)
      assert.ok(!error.message.includes(token))
      return true
    })
  }
  // Without an end it would be good for ever.
  const endless = new SignJWT(ann).setProtectedHeader({ alg: 'HS256' }).setIssuer(issuer.url)
  await assert.rejects(check.caller(await endless.sign(secret)), { code: 'ERR_BAD_TOKEN' })
  assert.equal((await check.caller(await sign(ann, { expires: -5 }))).username, 'ann')
})

test('roles are a text or a list, the most counts, and what is unknown is a member', async () => {
  const check = jwtCheck(options({ roleClaim: 'realm.roles' }))
  const cases: [unknown, string][] = [
    [undefined, 'member'],
    ['auditor', 'auditor'],
    [['member', 'owner', 'auditor'], 'owner'],
    [['admin', 'root'], 'member'],
    ['Owner', 'member'],
    [{ owner: true }, 'member'],
    [5, 'member'],
  ]
  for (const [roles, role] of cases) {
    const token = await issuer.sign({ ...ann, realm: { roles }, jti: String(Math.random()) })
    assert.deepEqual(await check.caller(token), { id: 'subject-1', username: 'ann', role })
  }
  const flat = await issuer.sign({ ...ann, 'realm.roles': 'owner', name: 'Ann A.' })
  assert.deepEqual(await check.caller(flat), {
    id: 'subject-1',
    username: 'ann',
    role: 'owner',
    name: 'Ann A.',
  })
})

test('a token that was found good is not checked again for a while, and none outlives its end', async () => {
  const check = jwtCheck(options())
  const token = await issuer.sign(ann, { expires: 60 })
  assert.equal(check.isKnown(token), false)
  await check.caller(token)
  assert.equal(check.isKnown(token), true)
  // Past its end, taken for the clocks' sake alone.
  const late = await issuer.sign(ann, { expires: -5 })
  await check.caller(late)
  assert.equal(check.isKnown(late), false)
})

test('keys are fetched once, and again where a token names a new one', async (t) => {
  const rotating = await startIssuer()
  t.after(() => rotating.close())
  const keys = issuerKeys({
    issuer: rotating.url,
    jwksUrl: `${rotating.url}/keys`,
    fetch: reach,
    cooldownMs: 0,
  })
  const check = jwtCheck(options({ issuer: rotating.url, keys }))
  const before = await rotating.sign(ann)
  for (let i = 0; i < 5; i++) await check.caller(await rotating.sign({ ...ann, jti: `${i}` }))
  assert.equal(rotating.fetches, 1)
  await rotating.rotate()
  await check.caller(await rotating.sign(ann))
  assert.equal(rotating.fetches, 2)
  // The old key is no longer published.
  await assert.rejects(check.caller(before), { code: 'ERR_BAD_TOKEN' })
})

test('an issuer that is away is 503 for who is new, and known keys go on for a while', async () => {
  const away = await startIssuer()
  const fresh = await away.sign(ann)
  const again = await away.sign({ ...ann, jti: '2' })
  const keys = issuerKeys({ issuer: away.url, jwksUrl: undefined, fetch: reach, maxAgeMs: 1 })
  const check = jwtCheck(options({ issuer: away.url, keys }))
  await check.caller(fresh)
  await away.close()
  assert.equal((await check.caller(again)).username, 'ann')
  const unheard = jwtCheck(
    options({
      issuer: away.url,
      keys: issuerKeys({ issuer: away.url, jwksUrl: undefined, fetch: reach }),
    }),
  )
  await assert.rejects(unheard.caller(fresh), { code: 'ERR_IDENTITY_AWAY', status: 503 })
})

test('a description of another issuer is not believed', async () => {
  const keys = issuerKeys({ issuer: `${issuer.url}/`, jwksUrl: undefined, fetch: reach })
  const check = jwtCheck(options({ issuer: `${issuer.url}/`, keys }))
  const token = await issuer.sign(ann, { issuer: `${issuer.url}/` })
  await assert.rejects(check.caller(token), { code: 'ERR_IDENTITY_AWAY' })
})

test('an issuer is reached through the proxies that the environment names', async (t) => {
  const asked: string[] = []
  // As proxies are asked: by the whole URL.
  const proxy = createServer(async (request, response) => {
    asked.push(request.url ?? '')
    const reply = await fetch(request.url ?? '')
    response.writeHead(reply.status).end(await reply.text())
  }).listen(0, '127.0.0.1')
  await once(proxy, 'listening')
  t.after(() => proxy.close())
  const env = { HTTP_PROXY: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}` }
  const flags = ['--auth', 'jwt', '--jwt-issuer', issuer.url, '--jwt-audience', 'sluice']
  const headers = { 'x-sluice-token': await issuer.sign(ann) }
  for (const [more, through] of [
    [{}, [`${issuer.url}/.well-known/openid-configuration`, `${issuer.url}/keys`]],
    [{ NO_PROXY: '127.0.0.1' }, []],
  ] as const) {
    const gateway = await startGateway([...flags, '--store', 'memory:'], {
      env: { ...env, ...more },
    })
    t.after(() => gateway.stop())
    const reply = await fetch(`${gateway.url}${me}`, { headers })
    assert.equal(reply.status, 200, await reply.text())
    assert.deepEqual(asked.splice(0), through)
  }
})

/** A real issuer that gives a machine a token by its client credentials (RFC 6749 §4.4, RFC 9068). */
async function startProvider() {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const client = { client_id: 'nightly', client_secret: 'a-secret-of-the-client' }
  const provider = new Provider(url, {
    clients: [
      { ...client, grant_types: ['client_credentials'], redirect_uris: [], response_types: [] },
    ],
    features: {
      clientCredentials: { enabled: true },
      devInteractions: { enabled: false },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo(_ctx, resource) {
          if (!resource.startsWith('https://')) throw new errors.InvalidTarget()
          return {
            scope: 'use',
            audience: resource,
            accessTokenFormat: 'jwt',
            jwt: { sign: { alg: 'RS256' } },
          }
        },
      },
    },
    extraTokenClaims: () => ({
      sub: 'nightly',
      client_name: 'nightly build',
      access: { sluice: ['auditor'] },
    }),
  })
  server.on('request', provider.callback())
  return {
    url,
    token: async (resource: string) => {
      const body = new URLSearchParams({ grant_type: 'client_credentials', resource, ...client })
      const reply = await fetch(`${url}/token`, { method: 'POST', body })
      const { access_token: token = '' } = (await reply.json()) as { access_token?: string }
      return token
    },
    close: async () => {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
