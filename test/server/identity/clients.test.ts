import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import Anthropic from '@anthropic-ai/sdk'
import OpenAI from 'openai'
import { createToken } from '../../../src/server/identity/gateway-token.ts'
import { type Agent, agentsInstalled, claudeCode, codex, runAgent } from '../../support/agents.ts'
import { needs } from '../../support/needs.ts'
import { served } from '../../support/served.ts'

const gateway = await served({ auth: 'tokens' })
after(() => gateway.close())
const token = await gateway.user('ann', 'member')
const anthropicUrl = `${gateway.url}/anthropic`
const openaiUrl = `${gateway.url}/openai/v1`
const ours = { 'X-Sluice-Token': token }

const messages = [{ role: 'user' as const, content: 'Hello' }]
const askAnthropic = (client: Anthropic) =>
  client.messages.create({ model: 'claude-sonnet-5', max_tokens: 100, messages })
const askOpenai = (client: OpenAI) => client.chat.completions.create({ model: 'gpt-5.4', messages })

/** How each client is given the token; `own` where it brings the provider's key, too. */
const clients: Readonly<Record<string, { ask(): Promise<unknown>; own?: string }>> = {
  'Anthropic, token as API key': {
    ask: () => askAnthropic(new Anthropic({ baseURL: anthropicUrl, apiKey: token })),
  },
  'Anthropic, token as auth token': {
    ask: () =>
      askAnthropic(new Anthropic({ baseURL: anthropicUrl, apiKey: null, authToken: token })),
  },
  'Anthropic, both': {
    ask: () =>
      askAnthropic(
        new Anthropic({
          baseURL: anthropicUrl,
          apiKey: token,
          defaultHeaders: { 'x-api-key': token, authorization: `Bearer ${token}` },
        }),
      ),
  },
  'Anthropic with a key of its own': {
    ask: () =>
      askAnthropic(
        new Anthropic({ baseURL: anthropicUrl, apiKey: 'sk-ant-mine', defaultHeaders: ours }),
      ),
    own: 'sk-ant-mine',
  },
  'OpenAI, token as API key': {
    ask: () => askOpenai(new OpenAI({ baseURL: openaiUrl, apiKey: token })),
  },
  'OpenAI with a key of its own': {
    ask: () =>
      askOpenai(new OpenAI({ baseURL: openaiUrl, apiKey: 'sk-mine', defaultHeaders: ours })),
    own: 'sk-mine',
  },
  'OpenAI Responses, streamed': {
    ask: () =>
      new OpenAI({ baseURL: openaiUrl, apiKey: token }).responses
        .stream({ model: 'gpt-5.4', input: 'Hello' })
        .finalResponse(),
  },
}

for (const [name, { ask, own }] of Object.entries(clients)) {
  test(`${name}: served, as its user, with the right key`, async () => {
    const before = gateway.upstream.requests.length
    await ask()
    const got = gateway.upstream.requests[before]?.rawHeaders.join('\n') ?? ''
    assert.ok(!got.includes(token), got)
    assert.ok(got.includes(own ?? 'sk-configured-'), got)
    const { results } = await gateway.running.recorder.interceptions({ limit: 1 })
    assert.equal(results[0]?.start.initiatorUsername, 'ann')
    assert.equal(results[0]?.start.credentialKind, own ? 'byok' : 'centralized')
  })
}

test('a wrong token is an error that SDKs know and do not try again', async () => {
  const wrong = createToken()
  const before = gateway.running.gateway.diagnostics.total('refused', { reason: 'identity' })
  await assert.rejects(
    askAnthropic(new Anthropic({ baseURL: anthropicUrl, apiKey: wrong })),
    Anthropic.PermissionDeniedError,
  )
  await assert.rejects(
    askOpenai(new OpenAI({ baseURL: openaiUrl, apiKey: wrong })),
    OpenAI.PermissionDeniedError,
  )
  const after = gateway.running.gateway.diagnostics.total('refused', { reason: 'identity' })
  assert.equal(after - before, 2)
})

const skip = needs('agents', agentsInstalled)
const withEnv = (agent: Agent, env: Readonly<Record<string, string>>): Agent => ({
  ...agent,
  env: (url) => ({ ...agent.env?.(url), ...env }),
})
const agents: Readonly<Record<string, { agent: Agent; own?: string }>> = {
  'Claude Code, ANTHROPIC_AUTH_TOKEN': {
    agent: withEnv(claudeCode, { ANTHROPIC_AUTH_TOKEN: token, ANTHROPIC_API_KEY: '' }),
  },
  'Claude Code, ANTHROPIC_AUTH_TOKEN beside a key that was left over': {
    agent: withEnv(claudeCode, { ANTHROPIC_AUTH_TOKEN: token }),
  },
  'Claude Code, ANTHROPIC_API_KEY': { agent: withEnv(claudeCode, { ANTHROPIC_API_KEY: token }) },
  'Claude Code with a key of its own': {
    agent: withEnv(claudeCode, { ANTHROPIC_CUSTOM_HEADERS: `X-Sluice-Token: ${token}` }),
    own: 'sk-ant-test',
  },
  'Codex with a key of its own': {
    agent: {
      ...withEnv(codex, { SLUICE_TOKEN: token }),
      files: (url) => {
        const [[path = '', settings = ''] = []] = Object.entries(codex.files?.(url) ?? {})
        return { [path]: `${settings}env_http_headers = { "X-Sluice-Token" = "SLUICE_TOKEN" }\n` }
      },
    },
    own: 'sk-test',
  },
  'Codex, OPENAI_API_KEY': { agent: withEnv(codex, { OPENAI_API_KEY: token }) },
}

for (const [name, { agent, own }] of Object.entries(agents)) {
  test(`${name}: served, as its user, with the right key`, { skip }, async () => {
    const before = gateway.upstream.requests.length
    const run = await runAgent(agent, 'Say hello', gateway.url)
    assert.equal(run.code, 0, run.stderr + run.stdout)
    const asked = gateway.upstream.requests.slice(before)
    assert.ok(asked.length > 0)
    for (const { rawHeaders } of asked) {
      assert.ok(!rawHeaders.join('\n').includes(token))
      assert.ok(rawHeaders.join('\n').includes(own ?? 'sk-configured-'), rawHeaders.join('\n'))
    }
    const { results } = await gateway.running.recorder.interceptions({ limit: 1 })
    assert.equal(results[0]?.start.initiatorUsername, 'ann')
  })
}

test('Claude Code with a wrong token says so and ends soon', { skip }, async () => {
  const wrong = withEnv(claudeCode, { ANTHROPIC_AUTH_TOKEN: createToken(), ANTHROPIC_API_KEY: '' })
  const begin = performance.now()
  const run = await runAgent(wrong, 'Say hello', gateway.url)
  assert.notEqual(run.code, 0)
  assert.match(run.stdout + run.stderr, /token/i)
  assert.ok(performance.now() - begin < 30_000)
})
