import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { createToken } from '../../../src/server/identity/gateway-token.ts'
import { routes } from '../../support/questions.ts'
import { served } from '../../support/served.ts'

const gateway = await served({ auth: 'tokens' })
after(() => gateway.close())
const token = await gateway.user('alice', 'member')
const tokenId = (await gateway.running.accounts.tokens('alice'))[0]?.id

const paths: Readonly<Record<string, object>> = {
  [routes.messages.path]: routes.messages.ask,
  [routes.chat.path]: routes.chat.ask,
  [routes.responses.path]: routes.responses.ask,
  '/anthropic/v1/messages/count_tokens': routes.messages.ask,
  '/openai/v1/embeddings': { model: 'm', input: 'hello' },
}
const configured = (path: string) =>
  path.startsWith('/anthropic/') ? 'sk-configured-anthropic' : 'sk-configured-openai'

const own = ['Coder-Session-Token', 'X-Sluice-Token', 'X-Coder-AI-Governance-Token']
const inPlaceOfKey: readonly (readonly string[])[] = [
  ['Authorization', `Bearer ${token}`],
  ['authorization', `bearer  ${token} `],
  ['X-Api-Key', token],
  // As agents do that send what they have in both.
  ['Authorization', `Bearer ${token}`, 'x-api-key', token],
  // A key of the user's that was left over beside the token.
  ['Authorization', `Bearer ${token}`, 'x-api-key', 'sk-left-over'],
  ['Authorization', 'Bearer sk-left-over', 'x-api-key', token],
  ['Authorization', `Bearer ${token}`, 'api-key', 'sk-left-over', 'x-goog-api-key', 'sk-left-over'],
  ['Authorization', 'Bearer sk-left-over', 'Authorization', `Bearer ${token}`],
]

/** Sends it, and returns the headers that the provider got. */
async function upstreamHeaders(path: string, headers: readonly string[]): Promise<string> {
  const before = gateway.upstream.requests.length
  const reply = await gateway.send(path, {
    headers: [...headers, 'content-type', 'application/json'],
    body: paths[path],
  })
  assert.equal(reply.status, 200, `${headers}: ${reply.text}`)
  const got = gateway.upstream.requests[before]?.rawHeaders ?? []
  const text = got.join('\n')
  assert.ok(!text.includes(token), `${path} ${headers.join(' ')}\n${text}`)
  assert.ok(!text.includes('sluice_'), text)
  const id = reply.headers['x-sluice-interception-id']
  if (id !== undefined) {
    const stored = await gateway.running.recorder.interception(String(id))
    assert.equal(stored?.start.initiatorUsername, 'alice')
    assert.equal(stored?.start.apiKeyId, tokenId)
    assert.equal(stored?.start.credentialKind, text.includes('sk-mine') ? 'byok' : 'centralized')
    assert.ok(!JSON.stringify(stored).includes(token.slice(0, 20)))
  }
  return text
}

for (const path of Object.keys(paths)) {
  test(`${path}: a token in place of the provider’s key means the configured key`, async () => {
    for (const headers of inPlaceOfKey) {
      const got = await upstreamHeaders(path, headers)
      assert.ok(got.includes(configured(path)), got)
      assert.doesNotMatch(got, /left-over/)
    }
  })

  test(`${path}: a token in a header of ours leaves the client its own key`, async () => {
    const anthropic = path.startsWith('/anthropic/')
    const keys = [
      ['Authorization', 'Bearer sk-mine'],
      ...(anthropic ? [['x-api-key', 'sk-mine']] : []),
    ]
    for (const name of own) {
      for (const key of keys) {
        const got = await upstreamHeaders(path, [name, token, ...key])
        assert.ok(got.includes(`${key[0]}\n${key[1]}`), got)
        assert.ok(!got.includes(configured(path)), got)
      }
      assert.ok((await upstreamHeaders(path, [name, token])).includes(configured(path)))
    }
  })

  test(`${path}: a token is sent nowhere, however often and wherever it stands`, async () => {
    const other = createToken()
    for (const also of [
      ['Authorization', `Bearer ${token}`],
      ['Authorization', `Bearer ${other}`],
      ['Authorization', `Basic ${Buffer.from(`alice:${token}`).toString('base64')}`],
      ['X-Api-Key', token],
      ['X-Goog-Api-Key', token],
      ['api-key', other],
      ['Cookie', `a=1; token=${token}`],
      ['X-Whatever', `"${other}"`],
      ['X-Coder-AI-Governance-Token', other],
    ]) {
      const got = await upstreamHeaders(path, ['X-Sluice-Token', token, ...also])
      assert.ok(got.includes(configured(path)), `${also}: ${got}`)
    }
  })
}

test('a wrong token in a header of ours is refused, whatever else stands beside it', async () => {
  for (const name of own) {
    const headers = [name, createToken(), 'Authorization', `Bearer ${token}`]
    const reply = await gateway.send(routes.chat.path, { headers, body: routes.chat.ask })
    assert.equal(reply.status, 403)
  }
})

test('a provider’s key is no token', async () => {
  const sent = gateway.upstream.requests.length
  for (const headers of [
    ['Authorization', 'Bearer sk-mine'],
    ['X-Api-Key', 'sk-mine'],
    ['Authorization', `Basic ${token}`],
    ['X-Sluice-Token', ' '],
    ['X-Whatever', token],
    ['Cookie', `token=${token}`],
  ]) {
    const reply = await gateway.send(routes.messages.path, { headers, body: routes.messages.ask })
    assert.equal(reply.status, 403, headers.join(' '))
    assert.ok(!reply.text.includes(token))
  }
  assert.equal(gateway.upstream.requests.length, sent)
})

test('without login, too, a gateway’s token goes to no provider', async (t) => {
  const open = await served()
  t.after(() => open.close())
  const reply = await open.send(routes.chat.path, {
    headers: ['Authorization', `Bearer ${token}`],
    body: routes.chat.ask,
  })
  assert.equal(reply.status, 200)
  const got = open.upstream.requests[0]?.rawHeaders.join('\n') ?? ''
  assert.ok(got.includes('sk-configured-openai') && !got.includes(token), got)
})
