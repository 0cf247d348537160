import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import type { Role } from '../../../src/server/identity/caller.ts'
import { type Issuer, startIssuer } from '../../support/issuer.ts'
import { routes } from '../../support/questions.ts'
import { type Served, served } from '../../support/served.ts'

type Who = 'nobody' | 'wrong' | Role
type Headers = Readonly<Record<string, string>> | readonly string[]

interface Mode {
  readonly flags: (issuer: Issuer) => Readonly<Record<string, unknown>>
  /** What each of them sends. */
  readonly headers: (gateway: Served, issuer: Issuer) => Promise<Readonly<Record<Who, Headers>>>
}

const trustedProxies = '127.0.0.0/8,::1'
const jwtFlags = ({ url }: Issuer) => ({
  auth: 'jwt',
  jwtIssuer: url,
  jwtAudience: 'sluice',
  trustedProxies,
})
const token = (text: string) => ({ 'x-sluice-token': text })
const named = (name: string) => ({ 'x-forwarded-user': name })

const modes: Readonly<Record<string, Mode>> = {
  tokens: {
    flags: () => ({ auth: 'tokens', trustedProxies }),
    headers: async ({ user }) => ({
      nobody: {},
      wrong: token('sluice_0000000000000000000000000000000000000000000000'),
      member: token(await user('member', 'member')),
      auditor: token(await user('auditor', 'auditor')),
      owner: token(await user('owner', 'owner')),
    }),
  },
  jwt: {
    flags: jwtFlags,
    headers: async (_, { sign }) => {
      const claims = (role: string) => ({ sub: role, preferred_username: role, roles: [role] })
      return {
        nobody: {},
        wrong: token(await sign(claims('owner'), { audience: 'another' })),
        member: token(await sign({ sub: 'member', preferred_username: 'member' })),
        auditor: token(await sign(claims('auditor'))),
        owner: token(await sign({ ...claims('owner'), roles: 'owner' })),
      }
    },
  },
  header: {
    flags: () => ({ auth: 'header', trustedProxies }),
    headers: async ({ user }) => {
      await user('auditor', 'auditor')
      await user('owner', 'owner')
      return {
        nobody: {},
        wrong: ['X-Forwarded-User', 'owner', 'x-forwarded-user', 'member'],
        member: named('member'),
        auditor: named('auditor'),
        owner: named('owner'),
      }
    },
  },
}

type Route = readonly [method: string, path: string, ...statuses: number[]]

/** By who asks: nobody, a wrong token, a member, an auditor, an owner. `:id` is an owner's interception. */
const table: readonly Route[] = [
  ['GET', '/healthz', 200, 200, 200, 200, 200],
  ['GET', '/readyz', 200, 200, 200, 200, 200],
  ['GET', '/', 200, 200, 200, 200, 200],
  ['GET', '/metrics', 401, 401, 403, 200, 200],
  ['GET', '/api/v2/aibridge/interceptions', 401, 401, 200, 200, 200],
  ['GET', '/api/v2/ai-gateway/interceptions', 401, 401, 200, 200, 200],
  ['GET', '/api/v2/aibridge/interceptions/:id', 401, 401, 404, 200, 200],
  ['GET', '/api/v2/aibridge/interceptions/nothing', 401, 401, 404, 404, 404],
  ['GET', '/api/v2/aibridge/sessions', 401, 401, 200, 200, 200],
  ['GET', '/api/v2/ai-gateway/sessions', 401, 401, 200, 200, 200],
  ['GET', '/api/v2/aibridge/sessions/:id', 401, 401, 404, 200, 200],
  ['GET', '/api/v2/aibridge/models', 401, 401, 200, 200, 200],
  ['GET', '/api/v2/aibridge/clients', 401, 401, 200, 200, 200],
  ['GET', '/api/v2/aibridge/providers', 401, 401, 200, 200, 200],
  ['GET', '/api/v2/aibridge/stats', 401, 401, 200, 200, 200],
  ['GET', '/api/v2/aibridge/stats?initiator=owner', 401, 401, 400, 200, 200],
  ['GET', '/api/v2/aibridge/export', 401, 401, 200, 200, 200],
  ['HEAD', '/api/v2/aibridge/export', 401, 401, 200, 200, 200],
  ['HEAD', '/api/v2/aibridge/stream', 401, 401, 200, 200, 200],
  ['GET', '/api/v2/aibridge/stream?limit=1', 401, 401, 400, 400, 400],
  ['GET', '/api/v2/ai-gateway/stream?limit=1', 401, 401, 400, 400, 400],
  ['PUT', '/api/v2/aibridge/stats', 405, 405, 405, 405, 405],
  ['GET', '/api/v2/aibridge/openapi.json', 200, 200, 200, 200, 200],
  ['GET', '/api/v2/ai-gateway/openapi.json', 200, 200, 200, 200, 200],
  ['GET', '/api/docs', 200, 200, 200, 200, 200],
  ['GET', '/api/v2/users/me', 401, 401, 200, 200, 200],
  ['GET', '/api/v2/users', 401, 401, 403, 403, 200],
  ['POST', '/api/v2/users', 401, 401, 403, 403, 400],
  ['PUT', '/api/v2/users/nobody', 401, 401, 403, 403, 400],
  ['DELETE', '/api/v2/users/nobody', 401, 401, 403, 403, 404],
  ['GET', '/api/v2/users/nobody/tokens', 401, 401, 403, 403, 404],
  ['POST', '/api/v2/users/nobody/tokens', 401, 401, 403, 403, 404],
  ['GET', '/api/v2/tokens', 401, 401, 403, 403, 200],
  ['DELETE', '/api/v2/tokens/nothing', 401, 401, 403, 403, 404],
  ['GET', '/nothing', 404, 404, 404, 404, 404],
  ['POST', '/anthropic/v1/messages', 403, 403, 200, 200, 200],
  ['POST', '/anthropic/v1/messages/count_tokens', 403, 403, 200, 200, 200],
  ['GET', '/anthropic/v1/models', 403, 403, 200, 200, 200],
  ['POST', '/openai/v1/chat/completions', 403, 403, 200, 200, 200],
  ['POST', '/api/v2/aibridge/openai/v1/responses', 403, 403, 200, 200, 200],
  ['POST', '/api/v2/ai-gateway/openai/v1/embeddings', 403, 403, 200, 200, 200],
  ['GET', '/openai/v1/models', 403, 403, 200, 200, 200],
  ['GET', '/openai/v1/nothing', 404, 404, 404, 404, 404],
]
const asking: readonly Who[] = ['nobody', 'wrong', 'member', 'auditor', 'owner']

for (const [name, mode] of Object.entries(modes)) {
  suite(`auth ${name}`, () => {
    let gateway: Served
    let issuer: Issuer
    let headers: Readonly<Record<Who, Headers>>
    let id: string

    before(async () => {
      issuer = await startIssuer()
      gateway = await served(mode.flags(issuer))
      headers = await mode.headers(gateway, issuer)
      const reply = await gateway.send(routes.messages.path, {
        headers: headers.owner,
        body: routes.messages.ask,
      })
      id = String(reply.headers['x-sluice-interception-id'])
    })
    after(async () => {
      await gateway.close()
      await issuer.close()
    })

    for (const [method, path, ...statuses] of table) {
      test(`${method} ${path}: ${statuses.join(' ')}`, async () => {
        for (const [at, who] of asking.entries()) {
          const sent = path.startsWith('/api/v2/users') ? {} : bodyFor(path)
          const reply = await gateway.send(path.replace(':id', id), {
            method,
            headers: fromElsewhere(headers[who]),
            ...(/^P/.test(method) && { body: sent }),
          })
          assert.equal(reply.status, statuses[at], `${who}: ${reply.text}`)
          if (reply.status < 400 || path === '/nothing' || method === 'HEAD') continue
          assertShape(path, reply)
        }
      })
    }

    test('what users see of themselves is who they are', async () => {
      for (const who of ['member', 'auditor', 'owner'] as const) {
        const { json } = await gateway.send('/api/v2/users/me', { headers: headers[who] })
        assert.deepEqual([json.username, json.role], [who, who])
      }
    })
  })
}

test('without login everybody on this machine is an owner, by the name that they say', async (t) => {
  const gateway = await served()
  t.after(() => gateway.close())
  for (const path of [
    '/metrics',
    '/api/v2/aibridge/interceptions',
    '/api/v2/users',
    '/api/v2/tokens',
  ])
    assert.equal((await gateway.send(path)).status, 200, path)
  const { json } = await gateway.send('/api/v2/users/me', { headers: { 'x-sluice-user': 'ann' } })
  assert.deepEqual(json, { id: 'ann', username: 'ann', role: 'owner' })
})

let addresses = 0

/** Each request from an address of its own: wrong tokens of one address are not taken for long. */
function fromElsewhere(headers: Headers): Headers {
  const address = `10.0.0.${++addresses % 256}`
  if (Array.isArray(headers)) return [...headers, 'X-Forwarded-For', address]
  return { ...headers, 'x-forwarded-for': address }
}

function bodyFor(path: string): object {
  if (path.includes('responses')) return { ...routes.responses.ask }
  if (path.includes('embeddings')) return { model: 'm', input: 'hello' }
  return path.includes('anthropic') ? { ...routes.messages.ask } : { ...routes.chat.ask }
}

/** A provider's clients find what their parsers look for, and scripts find a message. */
function assertShape(
  path: string,
  { status, headers, json, text }: Awaited<ReturnType<Served['send']>>,
) {
  assert.match(String(headers['content-type']), /^application\/json/)
  if (/\/anthropic\//.test(path)) {
    assert.equal(json.type, 'error', text)
    assert.equal(typeof json.error.message, 'string')
  } else if (/\/openai\//.test(path)) assert.equal(typeof json.error.message, 'string', text)
  else assert.equal(typeof json.message, 'string', text)
  if (status === 403 && /\/anthropic\//.test(path))
    assert.equal(json.error.type, 'permission_error')
  if (status === 401) assert.match(String(headers['www-authenticate']), /^Bearer/)
  assert.ok(!text.includes('at '), 'no stack traces')
}
