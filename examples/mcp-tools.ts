// Tools of MCP servers, offered to models and run by the gateway: the client sees one answer.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import Koa from 'koa'
import { filter, ignoreElements, tap } from 'rxjs'
import { anthropic, createGateway, ofType, openai, type Plugin } from 'sluice'

/** Prints the calls that the gateway ran. */
const calls: Plugin = {
  name: 'calls',
  observe: (events$) =>
    events$.pipe(
      ofType('tool_call'),
      filter(({ injected }) => injected),
      tap(({ tool, input, serverUrl, durationMs }) => {
        console.log(`${serverUrl} ran ${tool} with ${input} in ${durationMs} ms`)
      }),
      ignoreElements(),
    ),
}

const gateway = createGateway({
  providers: [
    anthropic({ baseUrl: process.env.ANTHROPIC_BASE_URL ?? 'https://api.anthropic.com' }),
    openai({ baseUrl: process.env.OPENAI_BASE_URL ?? 'https://api.openai.com/v1' }),
  ],
  plugins: [calls],
  initiator: (ctx) => ctx.get('x-sluice-user') || 'somebody',
  mcp: {
    servers: {
      facts: {
        command: process.execPath,
        args: [fileURLToPath(new URL('mcp/facts.ts', import.meta.url))],
      },
      // Over HTTP, with a token of each user's own: { url, headers: async ({ id }) => ({ … }) }
    },
    maxRounds: 5,
  },
})

const server = createServer(new Koa().use(gateway.middleware()).callback())
server.listen(Number(process.env.PORT ?? 4000), '127.0.0.1', () => {
  console.log(`listening on http://127.0.0.1:${(server.address() as AddressInfo).port}`)
})

process.once('SIGINT', async () => {
  server.close()
  await gateway.drain(10_000)
  await gateway.close()
})
