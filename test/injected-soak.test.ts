import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { startGateway } from './support/gateway.ts'
import { mcpServer, textResult } from './support/mcp-server.ts'
import { routes } from './support/questions.ts'
import { rawCall } from './support/raw-client.ts'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

const { path, ask } = routes.messages
const long = 'x'.repeat(20_000)
const mebibyte = 1024 * 1024

test('hundreds of calls over one connection leave nothing behind', {
  timeout: 120_000,
}, async (t) => {
  const server = await mcpServer({ call: () => textResult(long) })
  const gateway = await startGateway({
    mcp: { servers: { one: { url: server.url } } },
    upstream: { keepRequests: false },
    kept: 5,
  })
  t.after(() => Promise.all([gateway.close(), server.close()]))
  const calls = [{ name: 'bmcp_one_echo', input: { message: long } }]
  const run = async (times: number) => {
    for (let i = 0; i < times; i++) {
      gateway.upstream.next({ answer: { text: 'one', calls } }, { answer: { text: 'two' } })
      const { status } = await rawCall(gateway.port, {
        path,
        body: { ...ask, stream: i % 2 === 0 },
      })
      assert.equal(status, 200)
    }
    collect()
    return process.memoryUsage().heapUsed
  }
  const before = await run(100)
  const after = await run(250)
  // Of requests that are kept it would be 40 KB each.
  assert.ok(after - before < 6 * mebibyte, `${Math.round((after - before) / 1024)} KiB more`)
  assert.equal(server.sessions.size, 1)
  assert.equal(server.methods.filter((method) => method === 'initialize').length, 1)
})
