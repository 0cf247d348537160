import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { Diagnostics } from '../../../src/core/diagnostics.ts'
import { ToolboxPool } from '../../../src/core/mcp/pool.ts'
import { mcpServer, textResult, tool } from '../../support/mcp-server.ts'

const alive = new AbortController().signal
const [ann, ben] = ['ann', 'ben'].map((id) => ({ id, username: id })) as [User, User]
interface User {
  readonly id: string
  readonly username: string
}

test('one initiator with one key gets one toolbox, however many ask at once', async (t) => {
  const { pool, server, counts } = await opened(t)
  const leases = await Promise.all([1, 2, 3].map(() => pool.acquire(ann, 'k', alive)))
  assert.equal(new Set(leases.map(({ toolbox }) => toolbox)).size, 1)
  assert.equal(server.methods.filter((method) => method === 'initialize').length, 1)
  assert.deepEqual(counts(), { miss: 1, hit: 2 })
})

test('another initiator, and another key, get toolboxes of their own', async (t) => {
  const { pool } = await opened(t)
  const leases = await Promise.all([
    pool.acquire(ann, 'k', alive),
    pool.acquire(ann, 'l', alive),
    pool.acquire(ben, 'k', alive),
  ])
  assert.equal(new Set(leases.map(({ toolbox }) => toolbox)).size, 3)
})

test('two users at once see their own tools and send their own tokens', async (t) => {
  const sent: unknown[] = []
  const server = await mcpServer({
    tools: ({ authorization }) => [tool(`of_${authorization?.slice(7)}`)],
    call: ({ name, headers }) => {
      sent.push([name, headers.authorization])
      return textResult('mock')
    },
  })
  t.after(() => server.close())
  const { pool } = await opened(t, {
    url: server.url,
    headers: async ({ id }) => ({ authorization: `Bearer ${id}` }),
  })
  await Promise.all(
    [ann, ben].map(async (user) => {
      const { toolbox } = await pool.acquire(user, '', alive)
      assert.deepEqual([...toolbox.tools.keys()], [`bmcp_one_of_${user.id}`])
      await toolbox.call(`bmcp_one_of_${user.id}`, {}, { signal: alive, timeout: 5000 })
    }),
  )
  assert.deepEqual(sent.sort(), [
    ['of_ann', 'Bearer ann'],
    ['of_ben', 'Bearer ben'],
  ])
})

test('over the capacity goes who was not used for longest, and nobody who is in use', async (t) => {
  const { pool, server, counts } = await opened(t, undefined, { size: 1 })
  const first = await pool.acquire(ann, '', alive)
  const second = await pool.acquire(ben, '', alive)
  assert.equal(server.sessions.size, 2)
  const closed = server.heard('DELETE')
  first.release()
  first.release()
  await closed
  assert.equal(pool.size, 1)
  assert.ok(second.toolbox.tools.size > 0)
  assert.deepEqual(counts(), { miss: 2, evicted: 1 })
})

test('past its time a toolbox is made anew, and the old one serves those who have it', async (t) => {
  const { pool, server } = await opened(t, undefined, { ttl: 30 })
  const old = await pool.acquire(ann, '', alive)
  await pause(40)
  const fresh = await pool.acquire(ann, '', alive)
  assert.notEqual(fresh.toolbox, old.toolbox)
  await old.toolbox.call('bmcp_one_echo', {}, { signal: alive, timeout: 5000 })
  const closed = server.heard('DELETE')
  old.release()
  await closed
})

test('who leaves does not wait for servers, and takes none from those who stay', async (t) => {
  const server = await mcpServer({ hangs: true })
  t.after(() => server.close())
  const { pool } = await opened(t, { url: server.url }, { connectTimeout: 300 })
  const leaving = new AbortController()
  const gone = pool.acquire(ann, '', leaving.signal)
  const stays = pool.acquire(ann, '', alive)
  leaving.abort(new Error('gone'))
  await assert.rejects(gone, /gone/)
  assert.equal((await stays).toolbox.tools.size, 0)
})

test('closed, it ends all sessions and gives out nothing', async (t) => {
  const { pool, server } = await opened(t)
  await pool.acquire(ann, '', alive)
  await pool.close()
  assert.equal(server.sessions.size, 0)
  await assert.rejects(pool.acquire(ann, '', alive), /closed/)
})

async function opened(
  t: TestContext,
  server?: ConstructorParameters<typeof ToolboxPool>[0]['servers'][string],
  { size = 10, ttl = 60_000, connectTimeout = 5000 } = {},
) {
  const plain = await mcpServer()
  const diagnostics = new Diagnostics(() => {})
  const pool = new ToolboxPool({
    servers: { one: server ?? { url: plain.url } },
    prefix: 'bmcp',
    ttl,
    size,
    connectTimeout,
    maxBytes: 1024 * 1024,
    diagnostics,
  })
  t.after(async () => {
    await pool.close()
    await plain.close()
  })
  const counts = () =>
    Object.fromEntries(diagnostics.counts().map(({ labels, value }) => [labels.event, value]))
  return { pool, server: plain, counts }
}

test('one that others replace keeps nothing that nobody uses, and serves who came before', async (t) => {
  const { pool, counts } = await opened(t)
  const used = await pool.acquire(ann, 'k', alive)
  const idle = await pool.acquire(ben, 'k', alive)
  idle.release()
  pool.retire()
  assert.equal(pool.size, 1)
  // A request that began before may ask only now.
  const late = await pool.acquire(ben, 'k', alive)
  assert.equal(late.toolbox.tools.size, used.toolbox.tools.size)
  late.release()
  used.release()
  assert.equal(pool.size, 0)
  assert.deepEqual(counts(), { miss: 3, evicted: 3 })
})

test('a server that is away is told of once, with the reason, however many users miss it', async (t) => {
  const away = await mcpServer()
  await away.close()
  const log: string[] = []
  const pool = new ToolboxPool({
    servers: { one: { url: away.url } },
    prefix: 'p',
    ttl: 60_000,
    size: 10,
    connectTimeout: 5000,
    maxBytes: 1024 * 1024,
    diagnostics: new Diagnostics((_, message) => log.push(message)),
  })
  t.after(() => pool.close())
  for (const id of ['ann', 'bob', 'eve']) {
    const { toolbox, release } = await pool.acquire({ id, username: id }, '', alive)
    assert.equal(toolbox.tools.size, 0)
    release()
  }
  assert.equal(log.length, 1)
  assert.match(log[0] ?? '', /^MCP server "one" can't be used: fetch failed: .*ECONNREFUSED/)
})
