import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { undiciTransport } from '../../../src/core/transports/undici.ts'
import { issuerFetch } from '../../../src/server/identity/issuer-fetch.ts'
import { type IssuerKeysOptions, issuerKeys } from '../../../src/server/identity/issuer-keys.ts'
import { jwtCheck } from '../../../src/server/identity/jwt-check.ts'
import { type Issuer, startIssuer } from '../../support/issuer.ts'

const hour = 3_600_000
const { send } = undiciTransport({})

test('an issuer that could not say where its keys are is asked again, and not by each token', async (t) => {
  const { issuer, check, sign } = await trial(t, { againMs: hour })
  issuer.open = false
  for (let i = 0; i < 3; i++) await assert.rejects(check(await sign()), away)
  assert.equal(issuer.looks, 1)

  const { issuer: other, check: soon, sign: signed } = await trial(t, { againMs: 0 })
  other.open = false
  await assert.rejects(soon(await signed()), away)
  other.open = true
  assert.equal((await soon(await signed())).username, 'ann')
  assert.equal(other.looks, 2)
})

test('many that ask at once are one question to the issuer', async (t) => {
  const { issuer, check, sign } = await trial(t, { againMs: 0 })
  const tokens = await Promise.all(Array.from({ length: 20 }, sign))
  await Promise.all(tokens.map(check))
  assert.deepEqual([issuer.looks, issuer.fetches], [1, 1])
})

test('keys that have moved are found by the very token that needs them', async (t) => {
  const { issuer, check, sign, log } = await trial(t, { againMs: 0 })
  await check(await sign())
  await issuer.rotate()
  issuer.move()
  assert.equal((await check(await sign())).username, 'ann')
  assert.deepEqual([issuer.looks, issuer.fetches], [2, 2])
  assert.deepEqual(log, ['info the issuer has moved its keys'])
})

test('a made-up key is looked for at the issuer once in a while only', async (t) => {
  const { issuer, check, sign } = await trial(t, { againMs: hour })
  await check(await sign())
  const strange = await startIssuer()
  t.after(() => strange.close())
  await strange.rotate()
  for (let i = 0; i < 3; i++) {
    const token = await strange.sign({ sub: `${i}` }, { issuer: issuer.url })
    await assert.rejects(check(token), { code: 'ERR_BAD_TOKEN' })
  }
  assert.deepEqual([issuer.looks, issuer.fetches], [1, 1])
})

test('where the keys are is asked anew in the background; while that fails the old place counts', async (t) => {
  const { issuer, check, sign, log } = await trial(t, { renewMs: 0, againMs: 0 })
  // Each of these has to be taken.
  const checkUntil = async (is: () => boolean) => {
    while (!is()) assert.equal((await check(await sign())).username, 'ann')
  }
  await check(await sign())
  issuer.open = false
  await checkUntil(() => issuer.looks > 3)
  assert.equal(log.length, 1)
  assert.match(log[0] ?? '', /^warn the issuer's description cannot be renewed: .* \(503\)/)
  issuer.open = true
  issuer.move()
  await checkUntil(() => issuer.fetches > 1)
  assert.equal(log[1], 'info the issuer has moved its keys')
})

const away = { code: 'ERR_IDENTITY_AWAY', status: 503 }

async function trial(t: TestContext, options: Partial<IssuerKeysOptions>) {
  const issuer: Issuer = await startIssuer()
  t.after(() => issuer.close())
  const log: string[] = []
  const keys = issuerKeys({
    issuer: issuer.url,
    jwksUrl: undefined,
    fetch: issuerFetch(send),
    log: (level, message) => log.push(`${level} ${message}`),
    ...options,
  })
  const { caller } = jwtCheck({
    issuer: issuer.url,
    audience: 'sluice',
    usernameClaim: 'preferred_username',
    roleClaim: 'roles',
    keys,
  })
  let number = 0
  const sign = () => issuer.sign({ sub: 's', preferred_username: 'ann', jti: `${++number}` })
  return { issuer, check: caller, sign, log }
}
