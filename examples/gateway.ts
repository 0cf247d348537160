// The gateway by hand: capturers, a log and a store around two providers.
import type { AddressInfo } from 'node:net'
import Koa from 'koa'
import { anthropic, createGateway, openai } from 'sluice'
import { capturers } from 'sluice/plugins/capturers'
import { sqliteRecorder } from 'sluice/plugins/sqlite-recorder'
import { structuredLogger } from 'sluice/plugins/structured-logger'

const gateway = createGateway({
  providers: [
    anthropic({ baseUrl: process.env.ANTHROPIC_BASE_URL ?? 'https://api.anthropic.com' }),
    openai({ baseUrl: process.env.OPENAI_BASE_URL ?? 'https://api.openai.com/v1' }),
  ],
  plugins: [
    ...capturers(),
    structuredLogger(),
    sqliteRecorder({ path: './sluice-data/example.db' }),
  ],
  // Whoever reaches this port may use it; `X-Sluice-*` headers are not sent upstream.
  initiator: (ctx) => ctx.get('x-sluice-user') || 'nobody',
})

const port = Number(process.env.PORT ?? 4000)
const server = new Koa().use(gateway.middleware()).listen(port, '127.0.0.1')
server.once('listening', () => {
  console.log(`listening on http://127.0.0.1:${(server.address() as AddressInfo).port}`)
})

process.once('SIGINT', async () => {
  server.close()
  await gateway.drain(10_000)
  await gateway.close()
})
