import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { after, before, test } from 'node:test'
import { promisify } from 'node:util'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { runCommand } from '../../support/gateway-process.ts'
import { routes } from '../../support/questions.ts'
import { type Served, served } from '../../support/served.ts'

// What scripts written for the reference gateway read, field by field; what we tell beyond that may be there, too.
const uuid = { type: 'string', pattern: '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' }
const time = { type: 'string', pattern: '^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z$' }
const text = { type: 'string' }
const filled = { type: 'string', minLength: 1 }
const count = { type: 'integer', minimum: 0 }
const metadata = { type: 'object' }
const list = (items: object) => ({ type: 'array', items })
const textOrNull = { type: ['string', 'null'] }
const object = (properties: object, optional: readonly string[] = []) => ({
  type: 'object',
  properties,
  required: Object.keys(properties).filter((name) => !optional.includes(name)),
})

const initiator = object({ id: filled, username: filled, name: filled, avatar_url: filled }, [
  'name',
  'avatar_url',
])
const tokens = {
  input_tokens: count,
  output_tokens: count,
  cache_read_input_tokens: count,
  cache_write_input_tokens: count,
}
const record = {
  id: uuid,
  interception_id: uuid,
  provider_response_id: text,
  metadata,
  created_at: time,
}
const toolUsage = {
  ...record,
  server_url: text,
  tool: filled,
  input: text,
  injected: { type: 'boolean' },
}
const interception = object({
  id: uuid,
  api_key_id: textOrNull,
  initiator,
  provider: { enum: ['anthropic', 'openai'] },
  provider_name: filled,
  model: filled,
  client: textOrNull,
  metadata,
  started_at: time,
  ended_at: time,
  token_usages: list(object({ ...record, ...tokens })),
  user_prompts: list(object({ ...record, prompt: filled })),
  tool_usages: list(object({ ...toolUsage, invocation_error: text })),
})
const interceptions = object({ count, results: list(interception) })
const sessionMembers = {
  id: filled,
  initiator,
  providers: list(filled),
  models: list(filled),
  client: textOrNull,
  metadata,
  started_at: time,
  ended_at: time,
}
const session = object(
  {
    ...sessionMembers,
    threads: count,
    token_usage_summary: object(tokens),
    last_prompt: filled,
    last_active_at: time,
  },
  ['ended_at', 'last_prompt'],
)
const sessions = object({ count, sessions: list(session) })
const summed = object({
  ...tokens,
  metadata: { type: 'object', additionalProperties: { type: 'number' } },
})
const action = object({
  model: filled,
  token_usage: summed,
  thinking: list(object({ text })),
  tool_calls: { ...list(object(toolUsage)), minItems: 1 },
})
const thread = object(
  {
    id: uuid,
    prompt: filled,
    model: filled,
    provider: filled,
    credential_kind: { enum: ['centralized', 'byok'] },
    credential_hint: text,
    started_at: time,
    ended_at: time,
    token_usage: summed,
    agentic_actions: list(action),
  },
  ['prompt'],
)
const detail = object({
  ...sessionMembers,
  page_started_at: time,
  page_ended_at: time,
  token_usage_summary: summed,
  threads: list(thread),
})
const error = object(
  { message: filled, detail: filled, validations: list(object({ field: filled, detail: filled })) },
  ['detail', 'validations'],
)

const ajv = new Ajv2020({ strict: false, allErrors: true })
function assertShape(schema: object, value: unknown): void {
  const validate = ajv.compile(schema)
  validate(value)
  assert.deepEqual(validate.errors ?? [], [], JSON.stringify(value).slice(0, 2000))
}

let gateway: Served
let token: string
before(async () => {
  gateway = await served({ auth: 'tokens' })
  token = await gateway.user('ann', 'owner')
  const headers = { 'coder-session-token': token, 'user-agent': 'claude-cli/2.1.0' }
  for (const { path, ask } of Object.values(routes)) {
    await gateway.send(path, { headers, body: ask })
    await gateway.send(path, { headers, body: { ...ask, stream: true } })
  }
})
after(() => gateway.close())

/** As such a script does it. */
// biome-ignore lint/suspicious/noExplicitAny: whatever came.
async function curl(path: string): Promise<any> {
  const { stdout } = await promisify(execFile)('curl', [
    '-sS',
    '-H',
    `Coder-Session-Token: ${token}`,
    `${gateway.url}${path}`,
  ])
  return JSON.parse(stdout)
}

for (const base of ['/api/v2/aibridge', '/api/v2/ai-gateway']) {
  test(`curl ${base}/sessions and one of them are of the reference’s shape`, async () => {
    const answer = await curl(`${base}/sessions`)
    assertShape(sessions, answer)
    assert.ok(answer.sessions.length >= 3)
    let actions = 0
    for (const { id } of answer.sessions) {
      const one = await curl(`${base}/sessions/${id}`)
      assertShape(detail, one)
      for (const { agentic_actions: each } of one.threads) actions += each.length
    }
    assert.ok(actions > 0)
  })

  test(`curl ${base}/interceptions is of the reference’s shape`, async () => {
    const answer = await curl(`${base}/interceptions?limit=5&q=initiator:me`)
    assertShape(interceptions, answer)
    assert.equal(answer.results.length, 5)
    assert.ok(answer.count > 5)
    assert.ok(
      answer.results.some((each: { tool_usages: unknown[] }) => each.tool_usages.length > 0),
    )
    const more = await curl(`${base}/interceptions?limit=5&after_id=${answer.results[4].id}`)
    assert.equal(more.count, answer.count)
    assert.equal(more.results.length, answer.count - 5)
  })

  test(`curl ${base}/models and the others are lists of names`, async () => {
    for (const path of ['models', 'clients', 'providers'])
      assertShape({ ...list(filled), minItems: 1 }, await curl(`${base}/${path}`))
  })
}

test('errors are of the reference’s shape', async () => {
  for (const path of [
    'interceptions?limit=1001',
    'interceptions?q=a:',
    'sessions/nothing',
    'sessions?limit=x',
  ])
    assertShape(error, await curl(`/api/v2/aibridge/${path}`))
})

test('the list command prints the results alone, with two spaces', async () => {
  const { stdout, code } = await runCommand(
    ['aibridge', 'interceptions', 'list', '--initiator', 'ann', '--limit', '3'],
    {
      env: { SLUICE_URL: gateway.url, SLUICE_TOKEN: token },
    },
  )
  assert.equal(code, 0)
  const results = JSON.parse(stdout)
  assert.equal(stdout, `${JSON.stringify(results, null, 2)}\n`)
  assertShape({ ...list(interception), minItems: 3, maxItems: 3 }, results)
})
