import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { deserialize, serialize } from 'node:v8'
import { type Config, readConfig } from '../../src/server/config.ts'
import { packConfig, shareOf, unpackConfig } from '../../src/server/packed-config.ts'
import { workFolder } from '../support/gateway-process.ts'

const file = `
providers:
  - { name: local, type: openai, baseUrl: http://127.0.0.1:8000/v1, key: k, chatUsage: ask, disconnect: drain, passthrough: [/v1/files/*] }
  - { name: claude, type: anthropic, baseUrl: https://example.com/a }
clients:
  - { client: My agent, when: { userAgent: "^my-agent/", header: "^x-mine: ." }, session: [x-my-session, metadata.session] }
mcpServers:
  docs: { url: 'https://example.com/mcp', headers: { authorization: 'Bearer x' } }
prices:
  local/my-model: { input: 1, output: 2, tiers: [{ above: 200000, input: 6, output: 22.5 }] }
`

test('a worker gets the very configuration that the primary has read', () => {
  const config = read({ workers: '2' })
  // What a message between processes goes through.
  const sent = deserialize(serialize(packConfig(config)))
  assert.deepEqual(unpackConfig(sent), config)
})

test('limits that are meant for all are divided among the workers', () => {
  const config = { ...read({}), workers: 3, drainMaxCount: 32, journalMax: 1000, mcpPoolSize: 100 }
  const { drainMaxCount, journalMax, mcpPoolSize, maxBodySize } = shareOf(config)
  assert.deepEqual([drainMaxCount, journalMax, mcpPoolSize], [11, 333, 34])
  assert.equal(maxBodySize, config.maxBodySize)
  assert.deepEqual(shareOf({ ...config, workers: 1 }), { ...config, workers: 1 })
})

function read(workers: { readonly workers?: string }): Config {
  const folder = workFolder()
  writeFileSync(join(folder, 'sluice.config.yaml'), file)
  const flags = { auth: 'header', trustedProxies: '10.0.0.0/8', ...workers }
  return readConfig({ folder, flags, env: { HTTPS_PROXY: 'http://proxy:3128' } })
}
