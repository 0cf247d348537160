import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import Koa from 'koa'
import mount from 'koa-mount'
import { anthropic, createGateway, type Gateway, SluiceError } from '../../../src/index.ts'
import { memoryRecorder } from '../../../src/plugins/memory-recorder.ts'
import { by } from '../../support/api.ts'
import { told } from '../../support/stored-records.ts'

const store = memoryRecorder()
await store.record([...told({ start: by('ann') }), ...told({ ms: 5, start: by('bob') })])

const gatewayOf = (plugins = [store]) =>
  createGateway({ providers: [anthropic()], plugins, initiator: () => null })

async function listen(t: TestContext, app: Koa): Promise<string> {
  app.use((ctx) => {
    ctx.status = 418
    ctx.body = ctx.path
  })
  const server = createServer(app.callback()).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

async function counts(url: string, ...paths: readonly string[]): Promise<void> {
  for (const path of paths) {
    const reply = await fetch(`${url}${path}`)
    assert.equal(reply.status, 200, path)
    assert.equal(((await reply.json()) as { count: number }).count, 2, path)
  }
}

const owner = () => ({ id: 'me', role: 'owner' })

test('in a host’s app the API is where its prefix says, and all else is the host’s', async (t) => {
  const gateway = gatewayOf()
  t.after(() => gateway.close())
  const url = await listen(
    t,
    new Koa()
      .use(gateway.api({ authorize: owner }))
      .use(gateway.api({ prefix: '/audit/', authorize: owner }))
      .use(mount('/mounted', gateway.api({ prefix: '', authorize: owner }))),
  )
  await counts(url, '/api/v2/aibridge/interceptions', '/audit/interceptions', '/mounted/sessions')
  for (const path of ['/', '/interceptions', '/audit', '/audit/nothing', '/mounted/x']) {
    const reply = await fetch(url + path)
    assert.equal(reply.status, 418, path)
  }
  const document = (await (await fetch(`${url}/audit/openapi.json`)).json()) as { paths: object }
  assert.ok('/audit/sessions' in document.paths)
  assert.ok(!('/api/v2/users' in document.paths))
})

test('authorize says who asks and what they see; nothing, or a throw, is a 401', async (t) => {
  const gateway = gatewayOf()
  t.after(() => gateway.close())
  const url = await listen(
    t,
    new Koa().use(
      gateway.api({
        prefix: '',
        authorize: (ctx) => {
          const who = ctx.get('x-who')
          if (who === 'bad') throw new Error('no')
          if (who === 'late')
            throw new SluiceError('try later', { code: 'ERR_LATE', status: 503, retryAfter: 9 })
          return who === 'auditor' ? { id: 'x', role: 'auditor' } : who && { id: who, role: 'king' }
        },
      }),
    ),
  )
  const ask = async (who: string) => {
    const reply = await fetch(`${url}/interceptions`, { headers: { 'x-who': who } })
    return [reply.status, ((await reply.json()) as { count?: number }).count]
  }
  assert.deepEqual(await ask('u-ann'), [200, 1])
  assert.deepEqual(await ask('stranger'), [200, 0])
  assert.deepEqual(await ask('auditor'), [200, 2])
  assert.deepEqual(await ask(''), [401, undefined])
  assert.deepEqual(await ask('bad'), [401, undefined])
  assert.deepEqual(await ask('late'), [503, undefined])
})

test('it answers from the gateway’s store, or from another one; without one it says what to do', async (t) => {
  const gateway: Gateway = gatewayOf([])
  t.after(() => gateway.close())
  assert.throws(() => gateway.api({ authorize: owner }), /needs a store: put memoryRecorder\(\)/)
  const url = await listen(t, new Koa().use(gateway.api({ prefix: '', authorize: owner, store })))
  await counts(url, '/interceptions')
})
