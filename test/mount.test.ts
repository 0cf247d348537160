import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { bodyParser } from '@koa/bodyparser'
import Router from '@koa/router'
import type Koa from 'koa'
import mount from 'koa-mount'
import type { Gateway } from '../src/core/gateway.ts'
import { startGateway, type TestGateway } from './support/gateway.ts'
import { type Question, routes } from './support/questions.ts'
import { rawCall } from './support/raw-client.ts'
import { headerOf } from './support/raw-http.ts'

const open: TestGateway[] = []
after(() => Promise.all(open.map((gateway) => gateway.close())))

async function mounted(put: (app: Koa, gateway: Gateway) => void): Promise<TestGateway> {
  const gateway = await startGateway({ mount: put })
  open.push(gateway)
  return gateway
}

/** The question, streamed, through a mounted gateway: same bytes as from the upstream itself. */
async function assertServes(
  { port, upstream, ended }: TestGateway,
  { path, ask }: Question,
  prefix = '',
): Promise<void> {
  const at = upstream.requests.length
  const text = JSON.stringify({ ...ask, note: 'ä€😀', stream: true }, null, 1)
  const answer = await rawCall(port, { path: prefix + path, body: text })
  assert.equal(upstream.requests[at]?.body.toString(), text)
  const direct = await rawCall(upstream.port, { path: path.replace(/^\/\w+/, ''), body: text })
  assert.deepEqual(answer.body, direct.body)
  const { end } = await ended(headerOf(answer.headers, 'x-sluice-interception-id') ?? '')
  assert.equal(end.outcome, 'completed')
}

for (const [name, prefix, put] of [
  ['under a prefix', '/ai', (app, gateway) => app.use(gateway.middleware({ prefix: '/ai' }))],
  [
    'under a deep prefix',
    '/a/b',
    (app, gateway) => app.use(gateway.middleware({ prefix: '/a/b/' })),
  ],
  [
    'under a prefix without its slash',
    '/ai',
    (app, gateway) => app.use(gateway.middleware({ prefix: 'ai' })),
  ],
  ['inside koa-mount', '/ai', (app, gateway) => app.use(mount('/ai', gateway.middleware()))],
  [
    'inside a router',
    '/ai',
    (app, gateway) => {
      const router = new Router()
      router.all('/ai/{*path}', gateway.middleware({ prefix: '/ai' }))
      app.use(router.routes()).use(router.allowedMethods())
    },
  ],
  [
    'inside a router’s use',
    '/ai',
    (app, gateway) => {
      const router = new Router({ prefix: '/ai' })
      router.get('/own', (ctx) => {
        ctx.body = 'own'
      })
      router.all('/{*path}', gateway.middleware({ prefix: '/ai' }))
      app.use(router.routes())
    },
  ],
] as const satisfies readonly [string, string, (app: Koa, gateway: Gateway) => unknown][]) {
  test(`${name} all routes serve, and the host’s own go on to it`, async () => {
    const gateway = await mounted((app, made) => {
      put(app, made)
      app.use((ctx) => {
        ctx.body = `host ${ctx.path}`
      })
    })
    for (const question of Object.values(routes)) await assertServes(gateway, question, prefix)
    const models = await rawCall(gateway.port, {
      path: `${prefix}/openai/v1/models`,
      method: 'GET',
    })
    assert.equal(models.status, 200)
    for (const path of ['/', '/openai/v1/models', `${prefix}x/openai/v1/models`]) {
      const answer = await rawCall(gateway.port, { path, method: 'GET' })
      assert.equal(answer.body.toString(), `host ${path}`)
    }
  })
}

test('behind a body parser the raw body goes on, also where it came compressed', async () => {
  const gateway = await mounted((app, made) => app.use(bodyParser()).use(made.middleware()))
  for (const question of Object.values(routes)) await assertServes(gateway, question)
  const { gzipSync } = await import('node:zlib')
  const { path, ask } = routes.chat
  const text = JSON.stringify(ask)
  const at = gateway.upstream.requests.length
  const headers = ['content-type', 'application/json', 'content-encoding', 'gzip']
  const answer = await rawCall(gateway.port, { path, body: gzipSync(text), headers })
  assert.equal(answer.status, 200)
  assert.equal(gateway.upstream.requests[at]?.body.toString(), text)
  assert.equal(gateway.upstream.requests[at]?.headers['content-encoding'], undefined)
  const embeddings = '{ "input" : "ä" }'
  await rawCall(gateway.port, { path: '/openai/v1/embeddings', body: embeddings })
  assert.equal(gateway.upstream.requests.at(-1)?.body.toString(), embeddings)
})

test('behind one that keeps no raw body it says what to do', async () => {
  const gateway = await mounted((app, made) =>
    app
      .use(async (ctx, next) => {
        for await (const part of ctx.req) void part
        await next()
      })
      .use(made.middleware()),
  )
  for (const path of [routes.messages.path, '/anthropic/v1/messages/count_tokens']) {
    const answer = await rawCall(gateway.port, { path, body: routes.messages.ask })
    assert.equal(answer.status, 500)
    const { type, error } = JSON.parse(answer.body.toString())
    assert.equal(type, 'error')
    assert.match(error.message, /ERR_BODY_CONSUMED: mount the gateway before the body parser/)
  }
  assert.equal((await gateway.interceptions()).length, 0)
  assert.equal(
    (await rawCall(gateway.port, { path: '/openai/v1/models', method: 'GET' })).status,
    200,
  )
})

test('the host’s own middleware around it may set headers, and its state says who asks', async () => {
  const gateway = await startGateway({
    initiator: (ctx) => ctx.state.user,
    mount: (app, made) =>
      app
        .use(async (ctx, next) => {
          ctx.set('x-host', 'yes')
          ctx.state.user = { id: 'u-1', username: 'ann', name: 'Ann' }
          await next()
        })
        .use(made.middleware()),
  })
  open.push(gateway)
  const { path, ask } = routes.chat
  const answer = await rawCall(gateway.port, { path, body: ask })
  assert.equal(headerOf(answer.headers, 'x-host'), 'yes')
  const { start } = await gateway.ended(headerOf(answer.headers, 'x-sluice-interception-id') ?? '')
  assert.deepEqual(
    [start.initiatorId, start.initiatorUsername, start.initiatorName],
    ['u-1', 'ann', 'Ann'],
  )
})
