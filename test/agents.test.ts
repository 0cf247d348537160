import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type FakeUpstream, fakeUpstream } from '../src/simulator/server.ts'
import {
  type Agent,
  agentsInstalled,
  claudeCode,
  codex,
  codexBuiltIn,
  openCode,
  pi,
  runAgent,
} from './support/agents.ts'
import { startGateway } from './support/gateway-process.ts'
import { needs } from './support/needs.ts'

/** Real coding agents talk to the simulated provider through `sluice serve`, and call a tool that they run. */
interface Expected {
  readonly agent: Agent
  readonly client: string
  /** False where the client names no session: then the thread is the session. */
  readonly namesSession: boolean
  /** Of requests that the client makes on its own. */
  readonly purposes?: readonly string[]
  /** The prompt as the client sends it. */
  readonly sends?: (prompt: string) => string
}

// Its command line puts a prompt of several words into quotes.
const openCodeRun = {
  client: 'OpenCode',
  namesSession: true,
  sends: (prompt: string) => `"${prompt}"`,
}

const runs: readonly Expected[] = [
  { agent: claudeCode, client: 'Claude Code', namesSession: true },
  { agent: codex, client: 'Codex', namesSession: true },
  { agent: codexBuiltIn, client: 'Codex', namesSession: true },
  { ...openCodeRun, agent: openCode('Messages'), purposes: ['title'] },
  { ...openCodeRun, agent: openCode('Responses'), purposes: ['title'] },
  { ...openCodeRun, agent: openCode('Chat'), purposes: ['title'] },
  { agent: pi('Messages'), client: 'pi', namesSession: false },
  { agent: pi('Responses'), client: 'pi', namesSession: true },
  { agent: pi('Chat'), client: 'pi', namesSession: false },
]

const skip = needs('agents', agentsInstalled)
let upstream: FakeUpstream

before(async () => {
  upstream = await fakeUpstream({ freshIds: true })
})

after(() => upstream.close())

const prompt = 'Run the command ls and tell me which files are here.'

for (const { agent, client, namesSession, purposes = [], sends = (text: string) => text } of runs) {
  test(`${agent.name}: one prompt with a tool call is one thread of one session`, {
    skip,
  }, async (t) => {
    const gateway = await startGateway([
      ...['--anthropic-base-url', upstream.url],
      ...['--openai-base-url', upstream.url],
    ])
    t.after(() => gateway.stop())
    const { code, stdout, stderr } = await runAgent(agent, prompt, gateway.url)
    assert.equal(code, 0, `${stdout}\n${stderr}`)
    assert.match(stdout, /That worked\. The tool said: .*notes\.txt/, stderr)

    const all = await interceptions(gateway.url)
    assert.deepEqual([...new Set(all.map((each) => each.client))], [client])
    assert.deepEqual([...new Set(all.map(({ outcome }) => outcome))], ['completed'])
    assert.equal(new Set(all.map(({ session_id }) => session_id)).size, 1)
    assert.ok(all.every(({ client_session_id: id }) => (id !== null) === namesSession))

    const auxiliary = all.filter(({ purpose }) => purpose !== null)
    assert.deepEqual(
      auxiliary.map(({ purpose }) => purpose),
      purposes,
    )
    assert.ok(auxiliary.every((each) => each.user_prompts.length + each.tool_usages.length === 0))
    assert.ok(
      auxiliary.every(
        ({ thread_root_id, thread_parent_id }) => !thread_root_id && !thread_parent_id,
      ),
    )

    const [root, child, ...more] = all.filter(({ purpose }) => purpose === null)
    assert.ok(root && child && more.length === 0)
    assert.equal(root.thread_root_id, null)
    assert.deepEqual([child.thread_root_id, child.thread_parent_id], [root.id, root.id])

    assert.deepEqual(
      root.user_prompts.map((each) => each.prompt),
      [sends(prompt)],
    )
    assert.deepEqual(child.user_prompts, [])
    const [call, ...calls] = root.tool_usages
    const [result, ...results] = child.tool_results
    assert.ok(call && result && calls.length + results.length === 0)
    assert.match(call.tool, /bash|exec_command|shell/i)
    assert.equal(result.tool_call_id, call.tool_call_id)
    assert.equal(result.is_error, false)
    assert.deepEqual([root.tool_results, child.tool_usages], [[], []])
  })
}

interface Detail {
  readonly id: string
  readonly client: string
  readonly outcome: string
  readonly session_id: string
  readonly client_session_id: string | null
  readonly thread_root_id: string | null
  readonly thread_parent_id: string | null
  readonly purpose: string | null
  readonly user_prompts: readonly { readonly prompt: string }[]
  readonly tool_usages: readonly { readonly tool: string; readonly tool_call_id: string }[]
  readonly tool_results: readonly { readonly tool_call_id: string; readonly is_error: boolean }[]
}

/** All that ended, the oldest first. */
async function interceptions(url: string): Promise<Detail[]> {
  const list = `${url}/api/v2/aibridge/interceptions`
  const { results } = (await (await fetch(list)).json()) as { results: { id: string }[] }
  const details = results.map(
    async ({ id }) => (await fetch(`${list}/${id}`)).json() as Promise<Detail>,
  )
  return (await Promise.all(details)).toReversed()
}
