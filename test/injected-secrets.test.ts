import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { createGateway } from '../src/core/gateway.ts'
import { startGateway } from './support/gateway.ts'
import { mcpServer, type TestCall } from './support/mcp-server.ts'
import { routes } from './support/questions.ts'
import { rawCall } from './support/raw-client.ts'

const canary = (place: string) => `tok-canary-${place}-0123456789`
const { path, ask } = routes.messages

/** Servers may tell what they were sent, in every way there is. */
const answers: Readonly<Record<string, (call: TestCall) => unknown>> = {
  result: ({ headers }) => ({
    result: {
      isError: true,
      content: [{ type: 'text', text: `no access: ${JSON.stringify(headers)}` }],
    },
  }),
  error: ({ headers }) => ({
    error: { code: -32000, message: `no access: ${JSON.stringify(headers)}` },
  }),
  status: ({ headers, response }) => {
    response.writeHead(403).end(`no access: ${JSON.stringify(headers)}`)
  },
}

for (const [way, call] of Object.entries(answers)) {
  test(`a token that a server repeats in a ${way} is neither kept, logged nor told`, async (t) => {
    const server = await mcpServer({ call })
    const gateway = await startGateway({
      initiator: (ctx) => ctx.get('x-user'),
      mcp: {
        servers: {
          one: {
            url: `${server.url}?key=${canary('query')}`,
            headers: ({ id }) => ({
              authorization: `Bearer ${canary(id)}`,
              'x-my-token': canary(`own-${id}`),
            }),
          },
        },
      },
    })
    t.after(() => Promise.all([gateway.close(), server.close()]))
    for (const user of ['ann', 'bob']) {
      const tools = [{ name: 'bmcp_one_echo', input: {} }]
      gateway.upstream.next({ answer: { calls: tools } }, { answer: { text: 'done' } })
      const { body } = await rawCall(gateway.port, { path, body: ask, headers: ['x-user', user] })
      assert.ok(!body.includes('canary'))
    }
    const stored = await gateway.interceptions()
    const failures = stored.flatMap(({ toolUsages }) =>
      toolUsages.map(({ invocationError }) => invocationError),
    )
    assert.equal(failures.filter((error) => error?.includes('no access')).length, 2)
    assert.doesNotMatch(JSON.stringify([stored, gateway.log]), /canary-/)
    assert.doesNotMatch(
      JSON.stringify(gateway.upstream.requests.map(({ json }) => json)),
      /canary-/,
    )
  })
}

test('a token that a server refuses is not logged', async (t) => {
  const server = createServer((request, response) =>
    response.writeHead(401).end(`bad token ${request.headers.authorization}`),
  ).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const gateway = await startGateway({
    mcp: {
      servers: {
        one: {
          url: `http://127.0.0.1:${port}/`,
          headers: { authorization: `Bearer ${canary('bearer')}` },
        },
        two: {
          command: 'no-such-program',
          args: ['--token', canary('args')],
          env: { API_KEY: canary('env') },
        },
      },
    },
  })
  t.after(async () => {
    await gateway.close()
    server.close()
  })
  assert.equal((await rawCall(gateway.port, { path, body: ask })).status, 200)
  assert.match(gateway.log.join('\n'), /MCP server "one" can't be used: .*bad token/)
  assert.match(gateway.log.join('\n'), /MCP server "two" can't be used: .*ENOENT/)
  assert.doesNotMatch(gateway.log.join('\n'), /canary-/)
})

test('a URL with a password is refused, and the password not told', () => {
  const servers = { one: { url: `http://me:${canary('url')}@127.0.0.1/` } }
  assert.throws(
    () => createGateway({ providers: [], initiator: () => 'x', mcp: { servers } }),
    (error: Error) => /send them as a header/.test(error.message) && !/canary/.test(error.message),
  )
})
