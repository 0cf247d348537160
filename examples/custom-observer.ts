// An observer of your own: a record type of its own for replies that let the user wait.
import type { AddressInfo } from 'node:net'
import Koa from 'koa'
import { filter, map, take } from 'rxjs'
import { anthropic, createGateway, type Plugin } from 'sluice'

declare module 'sluice' {
  interface RecordTypes {
    slow_reply: { readonly model: string; readonly tookMs: number }
  }
}

/** Records how long the first word took, where that was longer than `overMs`. */
export const slowReplies = ({ overMs = 2000 }: { readonly overMs?: number } = {}): Plugin => ({
  name: 'slow-replies',
  observe: (events$, { model, startedAt }) =>
    events$.pipe(
      filter(({ type }) => type === 'text' || type === 'tool_call'),
      take(1),
      map(() => Date.now() - startedAt.getTime()),
      filter((tookMs) => tookMs > overMs),
      map((tookMs) => ({ type: 'slow_reply' as const, model, tookMs })),
    ),
})

/** Stands for a recorder: each has its way with types that it does not know; this one prints them. */
const printer: Plugin = {
  name: 'printer',
  record: (records) => {
    for (const record of records) if (record.type === 'slow_reply') console.log(record)
  },
}

if (import.meta.main) {
  const gateway = createGateway({
    providers: [
      anthropic({ baseUrl: process.env.ANTHROPIC_BASE_URL ?? 'https://api.anthropic.com' }),
    ],
    plugins: [slowReplies({ overMs: 20 }), printer],
    initiator: () => 'nobody',
  })
  const port = Number(process.env.PORT ?? 4000)
  const server = new Koa().use(gateway.middleware()).listen(port, '127.0.0.1')
  server.once('listening', () => {
    console.log(`listening on http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  })
  process.once('SIGINT', async () => {
    server.close()
    await gateway.close()
  })
}
