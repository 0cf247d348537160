import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { type ClientIdentity, identifyClient } from '../../src/core/client.ts'
import { needs, sharedFolder } from '../support/needs.ts'

interface Expected {
  readonly client: string
  readonly session?: string
  /** Of each request with a body in turn: its sub-agent, where it is not the main one's. */
  readonly agents?: Readonly<Record<number, Partial<ClientIdentity>>>
}

const claude = (session: string): Expected => ({ client: 'Claude Code', session })
const codex = (session: string): Expected => ({ client: 'Codex', session })
const copilot = { client: 'GitHub Copilot (CLI)' }
const opencode = (session: string): Expected => ({ client: 'OpenCode', session })
const kilo = (session: string): Expected => ({ client: 'Kilo Code', session })
const codexParent = '01a208e0-3806-7132-9f27-1bcee46c4878'

const runs: Readonly<Record<string, Expected>> = {
  'claude-code-2.1.330-print': claude('d0a01f05-a42c-440c-b2d9-ea1f6f3de1a5'),
  'claude-code-2.1.330-interactive': claude('38680ee6-5e7f-4ce1-af10-782514959686'),
  'claude-code-2.1.330-subagent': {
    ...claude('f806f8d1-baa1-455f-9a5f-95c551772ac6'),
    agents: { 2: { agentId: 'aca1fece873bc658e', purpose: 'subagent' } },
  },
  'claude-code-2.1.330-continue': claude('d9397212-1b3d-4cf5-9978-876cc5826f87'),
  'claude-code-2.1.330-context': claude('01fe8bee-b71d-4a7c-b836-280f4cabd8b6'),
  'claude-code-2.1.330-bearer': claude('eadcff7c-66c3-4642-b36d-c5a70bedece6'),
  'claude-code-2.1.197-print': claude('b049298f-c5a8-418e-af9a-3973946d543d'),
  'codex-0.169.0-own-provider': codex('01a208d5-0ecd-78f1-9c66-c767825e227b'),
  'codex-0.169.0-subagent': {
    ...codex(codexParent),
    agents: {
      2: {
        agentId: '01a208e0-38dc-79f0-a7d4-a928e9f0309c',
        parentAgentId: codexParent,
        purpose: 'subagent',
      },
    },
  },
  'codex-0.169.0-builtin-ws-refused': codex('01a208df-0bf2-76f1-8598-0e90e91771a2'),
  'codex-0.169.0-chatgpt-login': codex('01a208de-f535-7f31-ba1c-a67aa63ce1d8'),
  'codex-0.104.0-own-provider': codex('01a208e8-1c39-7880-ac1b-e3dc3f22ccf3'),
  'copilot-1.0.102-anthropic': copilot,
  'copilot-1.0.102-chat': copilot,
  'copilot-1.0.102-responses': { ...copilot, session: 'f67a7deedee35294f3a0bc3afe892b2c' },
  'opencode-1.18.33-anthropic': opencode('ses_df7295da4ffeH2AEnM2fwyfcpt'),
  'opencode-1.18.33-openai': opencode('ses_df7293f78ffelF8ItiQbdzjl28'),
  'opencode-1.18.33-compatible': opencode('ses_df7292352ffeeikb0U99BZMP29'),
  'kilo-7.7.7-anthropic': {
    ...kilo('ses_df7280083ffet8bOw7UDdQniZ8'),
    agents: { 2: { purpose: 'title' } },
  },
  'kilo-7.7.7-openai': kilo('ses_df727b5ccffeWN3Hu9Zrzt3nlG'),
  'kilo-7.7.7-compatible': kilo('ses_df7276797ffegcQ9X3s2w30B1w'),
  'pi-0.73.1-anthropic': { client: 'pi' },
  'pi-0.73.1-responses': { client: 'pi', session: '01a208d8-deda-75bb-8ef4-c5ca984d825c' },
  'pi-0.73.1-chat': { client: 'pi' },
  'qwen-0.24.4': { client: 'Qwen Code' },
}

interface RecordedRequest {
  readonly method: string
  readonly url: string
  readonly rawHeaders: readonly string[]
  readonly body?: unknown
}

const skip = needs('shared')
const recorded: Readonly<Record<string, readonly RecordedRequest[]>> = skip
  ? {}
  : JSON.parse(readFileSync(`${sharedFolder}clients/requests.json`, 'utf8'))

for (const [run, { client, session = null, agents = {} }] of Object.entries(runs)) {
  test(`client, session and sub-agents of ${run}`, { skip }, () => {
    const requests = (recorded[run] ?? []).filter(
      ({ method, url }) => method === 'POST' && /^\/(anthropic|openai)\/v1\//.test(url),
    )
    assert.ok(requests.length > 0)
    for (const [index, { rawHeaders, body }] of requests.entries()) {
      const { userAgent, ...identity } = identifyClient({ headers: rawHeaders, body })
      assert.deepEqual(identity, {
        client,
        clientSessionId: session,
        agentId: null,
        parentAgentId: null,
        purpose: null,
        ...agents[index],
      })
      assert.match(userAgent, /^[\w/.]+/)
    }
  })
}

test('a websocket upgrade names its client and session, too', { skip }, () => {
  const upgrade = recorded['codex-0.169.0-websocket']?.[0]
  assert.equal(upgrade?.method, 'GET')
  const { client, clientSessionId } = identifyClient({
    headers: upgrade.rawHeaders,
    body: undefined,
  })
  assert.deepEqual([client, clientSessionId], ['Codex', '01a208de-13bd-7943-bb88-9a074d0a1624'])
})
