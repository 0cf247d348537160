import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import type { McpServerOptions } from '../../../src/core/mcp/server-options.ts'
import { Toolbox } from '../../../src/core/mcp/toolbox.ts'
import { freePort } from '../../support/free-port.ts'
import {
  mcpServer,
  type TestMcpOptions,
  type TestMcpServer,
  textResult,
  tool,
} from '../../support/mcp-server.ts'

const now = { signal: new AbortController().signal, timeout: 5000 }

test('all pages of tools are known, sorted by the names that models see', async (t) => {
  const names = ['e', 'd', 'c', 'b', 'a']
  const server = await started(t, { tools: () => names.map((name) => tool(name)), pageSize: 2 })
  const { toolbox } = await opened(t, { one: server })
  assert.deepEqual(
    [...toolbox.tools.keys()],
    names.toSorted().map((name) => `bmcp_one_${name}`),
  )
})

test('a server that is away leaves the others usable', async (t) => {
  const server = await started(t)
  const { toolbox, log } = await opened(t, {
    one: server,
    two: { url: `http://127.0.0.1:${await freePort()}/mcp` },
  })
  assert.deepEqual([...toolbox.tools.keys()], ['bmcp_one_echo'])
  assert.match(log.join('\n'), /MCP server "two" can't be used/)
  assert.deepEqual(await toolbox.call('bmcp_one_echo', {}, now), textResult('mock').result)
})

test('a server that was away at the start is used as soon as it is there', async (t) => {
  const port = await freePort()
  const { toolbox } = await opened(t, { late: { url: `http://127.0.0.1:${port}/mcp` } })
  assert.equal(toolbox.tools.size, 0)
  const server = await started(t, { port })
  await server.heard('tools/list')
  await until(() => toolbox.tools.size === 1)
})

test('a server that hangs costs its time-out and nothing else', async (t) => {
  const good = await started(t)
  const hanging = await started(t, { hangs: true })
  const { toolbox } = await opened(t, { good, hanging }, { connectTimeout: 200 })
  assert.deepEqual([...toolbox.tools.keys()], ['bmcp_good_echo'])
})

test('a server with a protocol version that nobody knows is left out', async (t) => {
  const good = await started(t)
  const odd = await started(t, { protocolVersion: '1999-01-01' })
  const { toolbox, log } = await opened(t, { good, odd })
  assert.deepEqual([...toolbox.tools.keys()], ['bmcp_good_echo'])
  assert.match(log.join('\n'), /"odd" can't be used: .*1999-01-01/)
})

test('a tool with a broken schema is left out, the others of its server are not', async (t) => {
  const server = await started(t, {
    tools: () => [
      tool('good', { type: 'object', properties: { a: { type: 'string' } }, required: [] }),
      tool('text', { type: 'string' }),
      tool('none', 'no schema'),
      tool('type', { type: 'object', properties: { a: { type: 'strnig' } } }),
      tool('shape', { type: 'object', properties: { a: 7 } }),
      { inputSchema: {} },
      null,
      tool('choice', { type: 'object', anyOf: [{ required: ['a'] }] }),
    ],
  })
  const { toolbox } = await opened(t, { one: server })
  assert.deepEqual([...toolbox.tools.keys()], ['bmcp_one_choice', 'bmcp_one_good'])
  assert.deepEqual(toolbox.tools.get('bmcp_one_good')?.inputSchema, {
    type: 'object',
    properties: { a: { type: 'string' } },
  })
  // What providers refuse at the top.
  assert.deepEqual(toolbox.tools.get('bmcp_one_choice')?.inputSchema, {
    type: 'object',
    properties: {},
  })
})

test('lists of which is not said what is in them hold anything, wherever they stand', async (t) => {
  const inputSchema = {
    type: 'object',
    properties: {
      tags: { type: 'array' },
      deep: { anyOf: [{ type: ['array', 'null'] }, { type: 'array', items: { type: 'array' } }] },
      items: { type: 'string' },
    },
  }
  const server = await started(t, { tools: () => [tool('lists', inputSchema)] })
  const { toolbox } = await opened(t, { one: server })
  assert.deepEqual(toolbox.tools.get('bmcp_one_lists')?.inputSchema.properties, {
    tags: { type: 'array', items: {} },
    deep: {
      anyOf: [
        { type: ['array', 'null'], items: {} },
        { type: 'array', items: { type: 'array', items: {} } },
      ],
    },
    items: { type: 'string' },
  })
})

test('an argument that Messages requests can’t name is told once', async (t) => {
  const inputSchema = { type: 'object', properties: { 'filter[id]': {} } }
  const server = await started(t, { tools: () => [tool('odd', inputSchema)] })
  const { toolbox, log } = await opened(t, { one: server })
  assert.ok(toolbox.tools.has('bmcp_one_odd'))
  assert.match(log.join('\n'), /tool "odd".*Messages requests can't name.*"filter\[id\]"/)
})

test('a server whose list never ends costs its time-out, and not one a page', async (t) => {
  let page = 0
  const server = await started(t, {
    tools: () => {
      page++
      return Array.from({ length: page + 1 }, (_, at) => tool(`t${at}`))
    },
    pageSize: 1,
    pageMs: 50,
  })
  const since = performance.now()
  const { log } = await opened(t, { one: server }, { connectTimeout: 400 })
  assert.ok(performance.now() - since < 3000)
  assert.match(log.join('\n'), /it took more than \d+ ms to list its tools/)
})

test('a call waits for a server that is connected anew no longer than it may take', async (t) => {
  let hangs = false
  const server = await started(t, { hangs: (method) => hangs && method === 'initialize' })
  const { toolbox } = await opened(t, { one: server }, { connectTimeout: 60_000 })
  hangs = true
  server.forget()
  const call = toolbox.call('bmcp_one_echo', {}, { ...now, timeout: 200 })
  await assert.rejects(call, /no answer within 200 ms/)
  const left = new AbortController()
  const other = toolbox.call('bmcp_one_echo', {}, { signal: left.signal, timeout: 60_000 })
  left.abort(new Error('the client went away'))
  await assert.rejects(other, /the client went away/)
})

test('a changed list is asked for again', async (t) => {
  let names = ['a']
  const server = await started(t, { tools: () => names.map((name) => tool(name)) })
  const listening = server.heard('GET')
  const { toolbox } = await opened(t, { one: server })
  await listening
  names = ['b', 'c']
  server.listChanged()
  await until(() => toolbox.tools.has('bmcp_one_c'))
  assert.deepEqual([...toolbox.tools.keys()], ['bmcp_one_b', 'bmcp_one_c'])
})

test('a server that says at each list that it has changed is asked once in a while', async (t) => {
  let lists = 0
  const server = await started(t, {
    tools: () => {
      lists++
      setImmediate(() => server.listChanged())
      return [tool('a')]
    },
  })
  const listening = server.heard('GET')
  await opened(t, { one: server })
  await listening
  server.listChanged()
  await until(() => lists >= 2)
  await pause(500)
  assert.ok(lists <= 3, `${lists} lists`)
})

test('a call that gets no answer fails after its time, and its server goes on', async (t) => {
  const server = await started(t, {
    call: ({ args }) => (args.hang ? undefined : textResult('mock')),
  })
  const { toolbox } = await opened(t, { one: server })
  const cancelled = server.heard('notifications/cancelled')
  const call = toolbox.call('bmcp_one_echo', { hang: true }, { ...now, timeout: 100 })
  await assert.rejects(call, /no answer within 100 ms/)
  await cancelled
  assert.deepEqual(await toolbox.call('bmcp_one_echo', {}, now), textResult('mock').result)
})

test('an answer that is no message of the protocol is told in a word', async (t) => {
  const server = await started(t, { call: () => ({ result: 5 }) })
  const { toolbox } = await opened(t, { one: server })
  const call = toolbox.call('bmcp_one_echo', {}, now)
  await assert.rejects(call, { message: 'its answer is no message of MCP' })
})

test('a call whose server dies fails at once', { timeout: 5000 }, async (t) => {
  const server = await started(t, {
    call: ({ response, args }) => {
      if (args.how === 'headers') response.writeHead(200, { 'content-type': 'text/event-stream' })
      if (args.how === 'headers') response.write(': going\n\n')
      setImmediate(() => response.destroy())
    },
  })
  const { toolbox } = await opened(t, { one: server })
  const long = { ...now, timeout: 60_000 }
  await assert.rejects(toolbox.call('bmcp_one_echo', { how: 'at once' }, long))
  await assert.rejects(toolbox.call('bmcp_one_echo', { how: 'headers' }, long))
})

test('50 MB in answer to a call are not taken in, and its server goes on', async (t) => {
  let written = 0
  const server = await started(t, {
    call: ({ response, args }) => {
      if (!args.big) return textResult('mock')
      response.writeHead(200, { 'content-type': 'application/json' })
      const piece = Buffer.alloc(1024 * 1024, 'x')
      const write = () => {
        while (written < 50 && !response.destroyed) {
          written++
          if (!response.write(piece)) return void response.once('drain', write)
        }
        response.end()
      }
      write()
      return undefined
    },
  })
  const { toolbox } = await opened(t, { one: server }, { maxBytes: 1024 * 1024 })
  await assert.rejects(toolbox.call('bmcp_one_echo', { big: true }, now), /more than 1048576 bytes/)
  assert.ok(written < 50)
  assert.deepEqual(await toolbox.call('bmcp_one_echo', {}, now), textResult('mock').result)
})

test('a session that the server has forgotten is begun anew, and the call made', async (t) => {
  const server = await started(t)
  const { toolbox } = await opened(t, { one: server })
  server.forget()
  assert.deepEqual(await toolbox.call('bmcp_one_echo', {}, now), textResult('mock').result)
  assert.equal(server.methods.filter((method) => method === 'initialize').length, 2)
})

test('who gives up a call cancels it at the server', async (t) => {
  const server = await started(t, { call: () => undefined })
  const { toolbox } = await opened(t, { one: server })
  const leaving = new AbortController()
  const begun = server.heard('tools/call')
  const call = toolbox.call('bmcp_one_echo', {}, { signal: leaving.signal, timeout: 60_000 })
  await begun
  const cancelled = server.heard('notifications/cancelled')
  leaving.abort(new Error('gone'))
  await assert.rejects(call)
  await cancelled
})

test('headers are the initiator’s, and name nobody else', async (t) => {
  const seen: unknown[] = []
  const server = await started(t, {
    call: ({ headers }) => {
      seen.push([headers['x-user'], headers.authorization])
      return textResult('mock')
    },
  })
  // biome-ignore lint/suspicious/noTemplateCurlyInString: it is filled in for each initiator
  const headers = { 'X-User': '${initiator.username}/${initiator.id}', Authorization: 'Bearer t' }
  const { toolbox } = await opened(
    t,
    { one: { url: server.url, headers } },
    { username: 'zoë\r\n' },
  )
  await toolbox.call('bmcp_one_echo', {}, now)
  const asked = async ({ id }: { id: string }) => ({ 'x-user': `asked ${id}` })
  const other = await opened(t, { one: { url: server.url, headers: asked } })
  await other.toolbox.call('bmcp_one_echo', {}, now)
  assert.deepEqual(seen, [
    ['zo%C3%AB%0D%0A/u1', 'Bearer t'],
    ['asked u1', undefined],
  ])
})

test('closing ends the sessions', async (t) => {
  const server = await started(t)
  const { toolbox } = await opened(t, { one: server })
  assert.equal(server.sessions.size, 1)
  await toolbox.close()
  assert.equal(server.sessions.size, 0)
})

test('closing does not wait for a server that never answers', { timeout: 5000 }, async (t) => {
  const hanging = await started(t, { hangs: true })
  const toolbox = new Toolbox({
    servers: { hanging: { url: hanging.url } },
    prefix: 'bmcp',
    initiator: { id: 'u1', username: 'u' },
    connectTimeout: 60_000,
    maxBytes: 1024,
    log: () => {},
  })
  const opening = toolbox.init()
  await toolbox.close()
  await hanging.close()
  await opening
})

test('a program on this machine is a server, too', async (t) => {
  const { toolbox } = await opened(t, { every: everything })
  const echo = await toolbox.call('bmcp_every_echo', { message: 'hi' }, now)
  assert.deepEqual(echo.content, [{ type: 'text', text: 'Echo: hi' }])
  const env = await toolbox.call('bmcp_every_get-env', {}, now)
  assert.ok(!JSON.stringify(env).includes('SLUICE_'), 'our own environment is not its business')
})

const everything: McpServerOptions = {
  command: process.execPath,
  args: [
    `${import.meta.dirname}/../../../node_modules/@modelcontextprotocol/server-everything/dist/index.js`,
    'stdio',
  ],
}

async function started(t: TestContext, options?: TestMcpOptions): Promise<TestMcpServer> {
  const server = await mcpServer(options)
  t.after(() => server.close())
  return server
}

async function opened(
  t: TestContext,
  servers: Readonly<Record<string, McpServerOptions | TestMcpServer>>,
  { connectTimeout = 5000, maxBytes = 16 * 1024 * 1024, username = 'u' } = {},
): Promise<{ toolbox: Toolbox; log: string[] }> {
  const log: string[] = []
  const plain = Object.entries(servers).map(([name, server]): [string, McpServerOptions] => [
    name,
    'listChanged' in server ? { url: server.url } : server,
  ])
  const toolbox = new Toolbox({
    servers: Object.fromEntries(plain),
    prefix: 'bmcp',
    initiator: { id: 'u1', username },
    connectTimeout,
    maxBytes,
    log: (level, message) => void log.push(`${level} ${message}`),
  })
  t.after(() => toolbox.close())
  await toolbox.init()
  return { toolbox, log }
}

/** What comes to be without an event of its own. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await pause(10)
}
