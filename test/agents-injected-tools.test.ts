import assert from 'node:assert/strict'
import { test } from 'node:test'
import { agentsInstalled, claudeCode, codex, openCode, runAgent } from './support/agents.ts'
import { startGateway } from './support/gateway.ts'
import { mcpServer, textResult } from './support/mcp-server.ts'
import { needs } from './support/needs.ts'

const skip = needs('agents', agentsInstalled)
const prompt = 'Use the bmcp_one_echo tool.'

for (const agent of [claudeCode, codex, openCode('Chat')]) {
  test(`${agent.name} gets one answer in which the gateway has run a tool`, {
    skip,
    timeout: 120_000,
  }, async (t) => {
    const server = await mcpServer({ call: () => textResult('forty-two') })
    const gateway = await startGateway({
      mcp: { servers: { one: { url: server.url } } },
      upstream: { freshIds: true },
    })
    t.after(() => Promise.all([gateway.close(), server.close()]))
    const { code, stdout, stderr } = await runAgent(agent, prompt, gateway.url)
    assert.equal(code, 0, stderr)
    assert.match(stdout, /forty-two/)
    const all = await gateway.interceptions()
    const calls = all.flatMap(({ toolUsages }) => toolUsages)
    assert.deepEqual(
      calls.map(({ tool, injected, invocationError }) => [tool, injected, invocationError]),
      [['echo', true, null]],
    )
    assert.ok(all.every(({ end }) => end?.outcome === 'completed'))
  })
}
