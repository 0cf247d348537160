import assert from 'node:assert/strict'
import { test } from 'node:test'
import { identifyClient } from '../../src/core/client.ts'
import { clientRules } from '../../src/core/client-rules.ts'
import { type ClientRuleConfig, compileClientRules } from '../../src/core/compile-client-rules.ts'

const rules = compileClientRules([
  {
    client: 'House Agent',
    when: { userAgent: '^house-agent/', header: '^x-team: (red|blue)$' },
    session: ['x-house-session', 'metadata.chat.id', 'body.x-only-body'],
  },
  { client: 'Bot', when: { body: '^You are the house bot' } },
  { client: 'Codex', when: { userAgent: '^my-codex/' } },
  { client: 'Not Claude', when: { userAgent: '(?i:^CLAUDE-cli/9)' } },
])
const house = ['User-Agent', 'house-agent/1', 'X-Team', 'blue']
const identify = (headers: readonly string[], body?: unknown) =>
  identifyClient({ headers, body }, rules)

test('a configured rule names a client where all its conditions hold', () => {
  assert.equal(identify(house).client, 'House Agent')
  assert.equal(identify(['user-agent', 'house-agent/1', 'x-team', 'green']).client, 'Unknown')
  assert.equal(identify(['x-team', 'red']).client, 'Unknown')
  assert.equal(identify([], { instructions: 'You are the house bot.' }).client, 'Bot')
})

test('its session is read from headers, then from the body, then as for all clients', () => {
  const body = { metadata: { chat: { id: 'b' } }, 'x-only-body': 'c' }
  assert.equal(identify([...house, 'X-House-Session', 'a'], body).clientSessionId, 'a')
  assert.equal(identify(house, body).clientSessionId, 'b')
  assert.equal(identify(house, { 'x-only-body': 'c' }).clientSessionId, 'c')
  assert.equal(identify([...house, 'x-only-body', 'h', 'session_id', 's']).clientSessionId, 's')
})

test('configured rules go before the built-in ones, which stay', () => {
  assert.equal(identify(['user-agent', 'claude-cli/9.1']).client, 'Not Claude')
  assert.equal(identify(['user-agent', 'claude-cli/2.1']).client, 'Claude Code')
  assert.deepEqual(compileClientRules([]), clientRules)
})

test("a rule that names a known client and no session takes that client's", () => {
  const headers = ['user-agent', 'my-codex/1']
  assert.equal(identify(headers, { prompt_cache_key: 'p' }).clientSessionId, 'p')
})

test('rules survive the way to a worker', () => {
  const cloned = structuredClone(rules)
  assert.deepEqual(cloned, rules)
  const metadata = { user_id: 'user_1_session_s' }
  assert.equal(
    identifyClient({ headers: ['user-agent', 'claude-cli/2'], body: { metadata } }, cloned)
      .clientSessionId,
    's',
  )
})

test('all faults are told in one message that says where they are', () => {
  const broken: unknown = [
    { client: 'A', when: { header: '(' } },
    { client: ' ', when: { userAgent: 'x' } },
    { client: 'B', when: {} },
    { client: 'C', when: { useragent: 'x' } },
    { client: 'D' },
    { client: 'E', when: { body: 5 } },
    { client: 'F', when: { body: 'x' }, session: 'x-a' },
    { client: 'G', when: { body: 'x' }, session: ['x-ok', ''] },
    { client: 'H', when: { body: 'x' }, session: ['Authorization', 'x-api-key', 'x-sluice-token'] },
    null,
  ]
  assert.throws(
    () => compileClientRules(broken as ClientRuleConfig[]),
    (error: Error & { code?: string }) => {
      assert.equal(error.code, 'ERR_CLIENT_RULES')
      for (const fault of [
        /clients\[0\]\.when\.header: Invalid regular expression/,
        /clients\[1\]\.client must be a name/,
        /clients\[2\]\.when must have one or more of userAgent, header, body/,
        /clients\[3\]\.when\.useragent is not known/,
        /clients\[4\]\.when must have/,
        /clients\[5\]\.when\.body must be a regular expression/,
        /clients\[6\]\.session must be a list/,
        /clients\[7\]\.session\[1\] must be/,
        /clients\[8\]\.session\[0\] names "Authorization", a credential/,
        /clients\[8\]\.session\[1\]/,
        /clients\[8\]\.session\[2\]/,
        /clients\[9\]\.client/,
      ]) {
        assert.match(error.message, fault)
      }
      return true
    },
  )
})
