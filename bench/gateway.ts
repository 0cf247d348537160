import { createServer } from 'node:http'
import { parseArgs } from 'node:util'
import Koa from 'koa'
import { createGateway } from '../src/core/gateway.ts'
import type { Plugin } from '../src/core/plugin.ts'
import { anthropic } from '../src/core/providers/anthropic.ts'
import { openai } from '../src/core/providers/openai.ts'
import { capturers } from '../src/plugins/capturers.ts'

/** Sluice as a user's own server has it: Koa, all capturers, one recorder. */
const { values } = parseArgs({
  options: {
    upstream: { type: 'string', default: '' },
    transport: { type: 'string', default: 'undici' },
    /** A file for SQLite; records stay in memory without it. */
    sqlite: { type: 'string' },
  },
})
const gateway = createGateway({
  providers: [anthropic({ baseUrl: values.upstream }), openai({ baseUrl: values.upstream })],
  plugins: [...capturers(), await createRecorder(values.sqlite)],
  initiator: () => 'bench',
  transport: values.transport === 'got' ? 'got' : 'undici',
})
await gateway.open()
const app = new Koa().use(gateway.middleware())
// The load generator drops streams on purpose.
app.silent = true
const server = createServer(app.callback())
server.listen({ port: 0, host: '127.0.0.1', backlog: 2048 }, () => {
  const address = server.address()
  if (typeof address === 'object') console.log(`listening on http://127.0.0.1:${address?.port}`)
})

/** Loaded only when asked for: memory is measured. */
async function createRecorder(sqliteFile: string | undefined): Promise<Plugin> {
  if (sqliteFile === undefined) {
    const { memoryRecorder } = await import('../src/plugins/memory-recorder.ts')
    return memoryRecorder()
  }
  const { sqliteRecorder } = await import('../src/plugins/sqlite-recorder.ts')
  return sqliteRecorder({ path: sqliteFile })
}
