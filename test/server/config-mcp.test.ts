import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { type Config, readConfig } from '../../src/server/config.ts'
import { mcpOptions } from '../../src/server/mcp-options.ts'

test('MCP servers come from the file, their limits from anywhere', (t) => {
  const config = read(
    t,
    `mcpServers:
  one: { url: "https://mcp.example/x", headers: { Authorization: Bearer t }, allow: ^a, deny: b }
  two: { command: node, args: [server.js, 7], env: { PORT: 3000 } }
mcpMaxRounds: 3`,
    { SLUICE_MCP_CALL_TIMEOUT: '5s', SLUICE_MCP_MAX_RESULT: '64KiB' },
  )
  const { servers, maxRounds, callTimeout, maxResult, prefix } = mcpOptions(config)
  assert.deepEqual(servers, {
    one: {
      url: 'https://mcp.example/x',
      headers: { Authorization: 'Bearer t' },
      allow: '^a',
      deny: 'b',
    },
    two: { command: 'node', args: ['server.js', '7'], env: { PORT: '3000' } },
  })
  assert.deepEqual([maxRounds, callTimeout, maxResult, prefix], [3, 5000, 65_536, 'bmcp'])
})

const faults: readonly [string, string, RegExp][] = [
  ['servers that are a list', 'mcpServers: [a]', /mcpServers: must be servers by name/],
  ['neither url nor command', 'mcpServers: { a: { args: [x] } }', /mcpServers\.a: must be \{ url/],
  [
    'an unknown key',
    'mcpServers: { a: { url: "http://x/", token: t } }',
    /mcpServers\.a: Unrecognized key/,
  ],
  ['no http URL', 'mcpServers: { a: { url: "ftp://x" } }', /"a": its url must be an http/],
  ['a broken expression', 'mcpServers: { a: { url: "http://x/", deny: "(" } }', /"a": deny: /],
  [
    'a header that HTTP does not know',
    'mcpServers: { a: { url: "http://x/", headers: { "b c": secret-value } } }',
    /"a": HTTP knows no such header, or no such value of it: "b c"$/,
  ],
  [
    'a header of two lines',
    'mcpServers: { a: { url: "http://x/", headers: { b: "secret\\nvalue" } } }',
    /no such value of it: "b"$/,
  ],
  [
    'a password in a URL',
    'mcpServers: { a: { url: "http://me:secret@x/" } }',
    /"a": its url may have no user name or password: send them as a header$/,
  ],
  [
    'faults of several servers',
    'mcpServers: { a: { url: 5 }, b: { url: "ftp://x" }, c: { url: "http://x/", deny: "(" } }',
    /mcpServers\.a: .*"b": its url must.*"c": deny: /s,
  ],
  ['a name with a blank', 'mcpServers: { "a b": { command: x } }', /"a b": its name may have/],
  ['a prefix that models can’t say', 'mcpPrefix: "ä"', /mcpPrefix: must be 1 to 16/],
]
for (const [what, text, message] of faults) {
  test(`${what} stop the start`, (t) => {
    assert.throws(() => read(t, text), message)
  })
}

function read(t: TestContext, text: string, env: Record<string, string> = {}): Config {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-mcp-'))
  t.after(() => rmSync(folder, { recursive: true }))
  writeFileSync(join(folder, 'sluice.config.yaml'), text)
  return readConfig({ folder, env })
}
