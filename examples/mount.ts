// The gateway below /ai of a Koa server that has a login, routes and a websocket of its own.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import Router from '@koa/router'
import Koa from 'koa'
import { anthropic, createGateway, openai } from 'sluice'
import { capturers } from 'sluice/plugins/capturers'
import { memoryRecorder } from 'sluice/plugins/memory-recorder'
import { WebSocketServer } from 'ws'

const users = new Map([['token-of-alice', { id: 'u-1', username: 'alice', name: 'Alice A.' }]])
const recorder = memoryRecorder()

const gateway = createGateway({
  providers: [
    anthropic({ baseUrl: process.env.ANTHROPIC_BASE_URL ?? 'https://api.anthropic.com' }),
    openai({ baseUrl: process.env.OPENAI_BASE_URL ?? 'https://api.openai.com/v1' }),
  ],
  plugins: [...capturers(), recorder],
  initiator: (ctx) => ctx.state.user,
  // One HTTP client for the whole server; the default is undici, which is faster.
  transport: 'got',
})

const router = new Router()
router.get('/usage', async (ctx) => {
  const { results } = await recorder.interceptions({ initiator: ctx.state.user?.id ?? '' })
  ctx.body = results.map(({ start: { client, model }, tokenUsages }) => ({
    client,
    model,
    outputTokens: tokenUsages.reduce((sum, { outputTokens }) => sum + outputTokens, 0),
  }))
})

const app = new Koa()
  .use((ctx, next) => {
    // The server's own login: agents can't fill in a form, but send a header.
    ctx.state.user = users.get(ctx.get('x-sluice-token'))
    return next()
  })
  .use(gateway.middleware({ prefix: '/ai' }))
  // The REST API: whom this server knows sees what is recorded of them.
  .use(gateway.api({ prefix: '/ai/records', authorize: (ctx) => ctx.state.user }))
  .use(router.routes())

const server = createServer(app.callback())
const sockets = new WebSocketServer({ noServer: true })
server.on('upgrade', (request, socket, head) => {
  // Codex asks for a websocket first, and goes on over HTTP when it gets a 426.
  if (gateway.handleUpgrade(request, socket, '/ai')) return
  sockets.handleUpgrade(request, socket, head, (client) => client.send('welcome'))
})
server.listen(Number(process.env.PORT ?? 4000), '127.0.0.1', () => {
  console.log(`listening on http://127.0.0.1:${(server.address() as AddressInfo).port}/ai`)
})

process.once('SIGINT', async () => {
  sockets.close()
  server.close()
  await gateway.drain(10_000)
  await gateway.close()
})
