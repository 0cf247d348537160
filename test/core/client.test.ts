import assert from 'node:assert/strict'
import { test } from 'node:test'
import { identifyClient } from '../../src/core/client.ts'
import type { RawHeaders } from '../../src/core/upstream.ts'

const userAgents: readonly [string, string][] = [
  ['mux/0.19.0-next.2.gcceff159 ai-sdk/openai/3.0.36', 'Mux'],
  ['xum/1.0.0', 'Mux'],
  ['claude-cli/2.0.67 (external, cli)', 'Claude Code'],
  ['claude-cli/2.1.330 (external, sdk-cli)', 'Claude Code'],
  ['codex_cli_rs/0.87.0 (Mac OS 26.2.0; arm64)', 'Codex'],
  ['codex_exec/0.169.0 (Debian 12.0.0; x86_64) dumb (codex_exec; 0.169.0)', 'Codex'],
  ['Zed/0.219.4+stable.119.abc (linux; x86_64)', 'Zed'],
  ['GitHubCopilotChat/0.37.2026011603', 'GitHub Copilot (VS Code)'],
  ['copilot/0.0.403 (client/cli linux v24.11.1)', 'GitHub Copilot (CLI)'],
  ['kilo-code/5.1.0 (darwin 25.2.0; arm64) node/22.21.1', 'Kilo Code'],
  ['kilo/latest/7.7.7/cli ai-sdk/provider-utils/4.0.27', 'Kilo Code'],
  ['Kilo-Code/7.7.7 ai-sdk/provider-utils/4.0.27', 'Kilo Code'],
  ['roo-code/3.45.0 (darwin 25.2.0; arm64) node/22.21.1', 'Roo Code'],
  ['RooCode/3.53.0', 'Roo Code'],
  ['coder-agents/v2.24.0 (linux/amd64)', 'Coder Agents'],
  ['coder-agents/v0.0.0-devel (linux/amd64)', 'Coder Agents'],
  ['Charm Crush/0.1.11', 'Charm Crush'],
  ['Charm-Crush/0.20.0', 'Charm Crush'],
  ['opencode/1.18.33 ai-sdk/provider-utils/4.0.46 runtime/bun/1.3.14', 'OpenCode'],
  ['junie:1.2.3', 'Junie'],
  ['QwenCode/0.24.4 (linux; x64)', 'Qwen Code'],
  ['Anthropic/JS 1.12.0', 'Anthropic SDK'],
  ['AsyncAnthropic/Python 0.76.0', 'Anthropic SDK'],
  ['OpenAI/JS 7.57.0', 'OpenAI SDK'],
  ['AsyncAzureOpenAI/Python 2.1.0', 'OpenAI SDK'],
  ['ai/7.0.173 ai-sdk-provider-utils/5.0.81 node.js/24', 'Vercel AI SDK'],
  ['ai-sdk-anthropic/4.0.105 ai-sdk-provider-utils/5.0.81', 'Vercel AI SDK'],
  ['ai-sdk/openai/2.0.1', 'Vercel AI SDK'],
  ['langchainjs-openai/1.0.0 ((node/v24.21.0; linux; x64))', 'LangChain'],
  ['ccclaude-cli/2.0.67 (external, cli)', 'Unknown'],
  ['connect-es/1.6.1', 'Unknown'],
  ['aider/1', 'Unknown'],
  ['curl/8.0 claude-cli/2', 'Unknown'],
  ['', 'Unknown'],
]
for (const [userAgent, client] of userAgents) {
  test(`"${userAgent}" is ${client}`, () => {
    const identity = identify(['User-Agent', userAgent])
    assert.equal(identity.client, client)
    assert.equal(identity.userAgent, userAgent)
  })
}

const marks: readonly [string, RawHeaders, string][] = [
  ['no header at all', [], 'Unknown'],
  ['originator kilo-code alone', ['Originator', 'kilo-code'], 'Kilo Code'],
  ['originator roo-code alone', ['originator', 'roo-code'], 'Roo Code'],
  ['an originator in another case', ['originator', 'Kilo-Code'], 'Unknown'],
  ['an originator that only begins so', ['originator', 'kilo-code-fork'], 'Unknown'],
  ['a Cursor version alone', ['X-Cursor-client-version', '2.4'], 'Cursor'],
  [
    'a Cursor version beside its library',
    ['user-agent', 'connect-es/1.6.1', 'X-Cursor-client-version', '2.4'],
    'Cursor',
  ],
  ['an empty Cursor version', ['x-cursor-client-version', ' '], 'Unknown'],
  [
    'Kilo under the name of its parent',
    ['user-agent', 'opencode/7.7.7 (linux; x64)', 'originator', 'opencode', 'x-title', 'Kilo Code'],
    'Kilo Code',
  ],
  [
    'a Kilo referer',
    ['user-agent', 'opencode/7.7.7', 'HTTP-Referer', 'https://kilocode.ai'],
    'Kilo Code',
  ],
  ['a look-alike referer', ['http-referer', 'https://kilocode.ai.example'], 'Unknown'],
  [
    "Copilot CLI's own provider",
    ['user-agent', 'OpenAI/JS 5.20.1', 'x-initiator', 'agent'],
    'GitHub Copilot (CLI)',
  ],
  [
    'OpenCode using Copilot',
    ['user-agent', 'opencode/1.18.33', 'x-initiator', 'agent'],
    'OpenCode',
  ],
  ['a name inside another header', ['x-note', 'x-title: Kilo Code'], 'Unknown'],
]
for (const [name, headers, client] of marks) {
  test(`${name}: ${client}`, () => assert.equal(identify(headers).client, client))
}

const copilot = 'You are the GitHub Copilot CLI, a terminal assistant'
const pi = 'You are an expert coding assistant operating inside pi, a coding agent'
const prompts: readonly [string, unknown, string][] = [
  ['a Messages system text', { system: copilot }, 'GitHub Copilot (CLI)'],
  ['a Messages system block', { system: [{ type: 'text', text: pi }] }, 'pi'],
  ['instructions', { instructions: copilot }, 'GitHub Copilot (CLI)'],
  ['a Chat system message', { messages: [{ role: 'system', content: pi }] }, 'pi'],
  [
    'a Responses developer item',
    { input: [{ role: 'developer', content: [{ type: 'input_text', text: pi }] }] },
    'pi',
  ],
  ["a user's words", { messages: [{ role: 'user', content: pi }] }, 'OpenAI SDK'],
  ['nothing', {}, 'OpenAI SDK'],
]
for (const [name, body, client] of prompts) {
  test(`a vendor's SDK with ${name} is ${client}`, () => {
    assert.equal(identify(['user-agent', 'OpenAI/JS 6.26.0'], body).client, client)
  })
}

const uuid = 'f47ac10b-58cc-4372-a567-0e02b2c3d479'
const claude = ['user-agent', 'claude-cli/2.0.67']
const legacy = { metadata: { user_id: `user_abc_account_456_session_${uuid}` } }
const json = (member: object) => ({ metadata: { user_id: JSON.stringify(member) } })
const header = (name: string, value: string) => [...claude, name, value]
const id = 'X-Claude-Code-Session-Id'
const sessions: readonly [string, RawHeaders, unknown, string | null][] = [
  ['Claude Code: header before body', header(id, 'h'), legacy, 'h'],
  ['Claude Code: header alone', header(id, 'h'), undefined, 'h'],
  ['Claude Code: empty header', header(id, ''), legacy, uuid],
  ['Claude Code: blank header', header(id, '  '), legacy, uuid],
  ['Claude Code: legacy user id', claude, legacy, uuid],
  ['Claude Code: JSON user id', claude, json({ device_id: 'd', session_id: uuid }), uuid],
  ['Claude Code: JSON with an empty session', claude, json({ session_id: '' }), null],
  ['Claude Code: JSON without a session', claude, json({ device_id: 'a_session_b' }), null],
  ['Claude Code: no metadata', claude, { model: 'x' }, null],
  ['Claude Code: metadata without a user id', claude, { metadata: {} }, null],
  ['Claude Code: user id without a session', claude, { metadata: { user_id: 'user_1' } }, null],
  ['Claude Code: no body', claude, undefined, null],
  ['Claude Code: body of another type', claude, 'text', null],
  ['Codex: session-id', ['user-agent', 'codex_exec/1', 'Session-Id', 's'], {}, 's'],
  ['Codex: session_id, trimmed', ['user-agent', 'codex_exec/1', 'session_id', '  s '], {}, 's'],
  [
    'Codex: body',
    ['user-agent', 'codex_exec/1'],
    { client_metadata: { session_id: 'c' }, prompt_cache_key: 'p' },
    'c',
  ],
  ['Codex: cache key', ['user-agent', 'codex_exec/1'], { prompt_cache_key: 'p' }, 'p'],
  ['Codex: none', ['user-agent', 'codex_exec/1'], {}, null],
  ['Unknown with a body like Claude Code', ['user-agent', 'x'], legacy, null],
  ['Unknown with a cache key', ['user-agent', 'x'], { prompt_cache_key: 'constant' }, null],
  ['Unknown with a session_id member', [], { session_id: 'b' }, null],
  ['Zed with a session_id header', ['user-agent', 'Zed/0.219', 'session_id', 's'], legacy, 's'],
  ['Zed with none', ['user-agent', 'Zed/0.219'], legacy, null],
  ['Mux', ['user-agent', 'mux/1', 'X-Mux-Workspace-Id', 'w'], {}, 'w'],
  ['Mux with none', ['user-agent', 'mux/1'], {}, null],
  ['Copilot in VS Code', ['user-agent', 'GitHubCopilotChat/1', 'x-interaction-id', 'i'], {}, 'i'],
  ['Copilot in VS Code with none', ['user-agent', 'GitHubCopilotChat/1'], {}, null],
  ['Copilot CLI', ['user-agent', 'copilot/1', 'X-Client-Session-Id', 'c'], {}, 'c'],
  ['Copilot CLI with none', ['user-agent', 'copilot/1'], {}, null],
  ['Kilo', ['user-agent', 'kilo-code/1', 'X-KILOCODE-TASKID', 't'], {}, 't'],
  ['Kilo with a blank one', ['user-agent', 'kilo-code/1', 'X-KILOCODE-TASKID', ' '], {}, null],
  ['Kilo with none', ['user-agent', 'kilo-code/1'], {}, null],
  ['Coder Agents', ['user-agent', 'coder-agents/v1', 'X-Coder-Chat-Id', 'c'], {}, 'c'],
  ['Coder Agents with none', ['user-agent', 'coder-agents/v1'], {}, null],
  ['Roo', ['user-agent', 'roo-code/1'], legacy, null],
  ['Cursor', ['x-cursor-client-version', '1'], legacy, null],
  ['OpenCode', ['user-agent', 'opencode/1', 'X-OpenCode-Session', 'o'], {}, 'o'],
  ['OpenCode affinity', ['user-agent', 'opencode/1', 'x-session-affinity', 'ses_1'], {}, 'ses_1'],
  [
    'common headers in their order',
    ['session_id', 'c', 'session-id', 'b', 'x-session-id', 'a'],
    {},
    'a',
  ],
  ['a title request', ['x-session-id', 'title-ses_1'], {}, 'ses_1'],
  ['another header with that prefix', ['session-id', 'title-ses_1'], {}, 'title-ses_1'],
]
for (const [name, headers, body, session] of sessions) {
  test(`session, ${name}: ${session}`, () => {
    const before = JSON.stringify(body)
    assert.equal(identify(headers, body).clientSessionId, session)
    assert.equal(JSON.stringify(body), before)
  })
}

test('values are cut at 256 characters', () => {
  assert.equal(identify(['session-id', 'x'.repeat(300)]).clientSessionId, 'x'.repeat(256))
  assert.equal(identify(['user-agent', 'y'.repeat(300)]).userAgent, 'y'.repeat(256))
})

const agents: readonly [string, RawHeaders, unknown, unknown[]][] = [
  ['the main agent', [], {}, [null, null, null]],
  [
    'Claude Code below another agent',
    ['x-claude-code-agent-id', 'a1', 'x-claude-code-parent-agent-id', 'a0'],
    {},
    ['a1', 'a0', 'subagent'],
  ],
  [
    'Codex',
    ['x-openai-subagent', 'collab_spawn', 'thread-id', 't1', 'x-codex-parent-thread-id', 't0'],
    {},
    ['t1', 't0', 'subagent'],
  ],
  [
    'Codex whose ids only the body has',
    ['x-openai-subagent', 'collab_spawn'],
    { client_metadata: { thread_id: 't1', 'x-codex-parent-thread-id': 't0' } },
    ['t1', 't0', 'subagent'],
  ],
  ['the main thread of Codex', ['thread-id', 't0'], {}, [null, null, null]],
  [
    'Codex compacting',
    ['x-openai-subagent', 'compact', 'thread-id', 't0'],
    {},
    [null, null, 'compaction'],
  ],
  [
    'Codex tidying its memory',
    ['x-openai-subagent', 'memory_consolidation', 'thread-id', 't0'],
    {},
    [null, null, 'other'],
  ],
  [
    'a Copilot sub-agent',
    ['x-interaction-type', 'conversation-subagent'],
    {},
    [null, null, 'subagent'],
  ],
  ['a user turn of Copilot', ['x-interaction-type', 'conversation-user'], {}, [null, null, null]],
  ['a title', ['x-session-id', 'title-ses_1'], {}, [null, null, 'title']],
]
for (const [name, headers, body, expected] of agents) {
  test(`agent and purpose, ${name}`, () => {
    const { agentId, parentAgentId, purpose } = identify(headers, body)
    assert.deepEqual([agentId, parentAgentId, purpose], expected)
  })
}

test('junk bodies are survived', () => {
  for (const body of [null, 1, 'x', [], [[]], { system: 1 }, { messages: {} }, { input: [null] }]) {
    assert.equal(identify(['user-agent', 'OpenAI/JS 1'], body).client, 'OpenAI SDK')
  }
  for (const metadata of [
    1,
    { user_id: 5 },
    { user_id: '12' },
    { user_id: '{' },
    { user_id: '[]' },
  ]) {
    assert.equal(identify(claude, { metadata }).clientSessionId, null)
  }
})

test('of a large body only the first of the system prompt is looked at', () => {
  let looked = 0
  const message = {
    get role() {
      looked++
      return 'system'
    },
    content: `${'x'.repeat(5_000_000)}\n${pi}`,
  }
  const messages = Array.from({ length: 10_000 }, () => message)
  assert.equal(identify(['user-agent', 'OpenAI/JS 1'], { messages }).client, 'OpenAI SDK')
  assert.ok(looked > 0 && looked < 10)
})

function identify(headers: RawHeaders, body?: unknown) {
  return identifyClient({ headers, body })
}
