import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { text } from 'node:stream/consumers'

/** How a coding agent is run headless against a gateway, as its user would set it up. */
export interface Agent {
  readonly name: string
  /** In `node_modules/.bin` of the folder that `.ci/agents` fills. */
  readonly program: string
  readonly args: (prompt: string) => readonly string[]
  readonly env?: (url: string) => Readonly<Record<string, string>>
  /** What is in its home folder; it runs in `work` there. */
  readonly files?: (url: string) => Readonly<Record<string, string>>
}

const tools = process.env.SLUICE_CI_TOOLS ?? join(homedir(), '.cache', 'sluice-ci')
const programs = join(tools, 'agents', 'node_modules', '.bin')

/** Whether `.ci/agents` was run here. */
export const agentsInstalled: boolean = existsSync(join(tools, 'agents', 'stamp'))

export interface AgentRun {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs an agent to its end on one prompt, at home in an empty folder; its work folder holds `notes.txt`. */
export async function runAgent(agent: Agent, prompt: string, url: string): Promise<AgentRun> {
  const home = mkdtempSync(join(tmpdir(), 'sluice-agent-'))
  try {
    for (const [path, content] of Object.entries({ ...common, ...agent.files?.(url) })) {
      mkdirSync(dirname(join(home, path)), { recursive: true })
      writeFileSync(join(home, path), content)
    }
    const child = spawn(join(programs, agent.program), agent.args(prompt), {
      cwd: join(home, 'work'),
      // Nothing of this machine's: a key or a setting of the user's own would change what is tested.
      env: {
        PATH: process.env.PATH,
        HOME: home,
        TMPDIR: join(home, 'tmp'),
        ...keys,
        ...agent.env?.(url),
      },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: 90_000,
      killSignal: 'SIGKILL',
    })
    const [stdout, stderr, [code]] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      once(child, 'exit') as Promise<[number | null]>,
    ])
    return { code, stdout, stderr }
  } finally {
    rmSync(home, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 })
  }
}

const common = { 'work/notes.txt': 'nothing\n', 'tmp/.keep': '' }

const keys = {
  LANG: 'C.UTF-8',
  TERM: 'dumb',
  // Agents look for a key and send it; the simulated provider takes any.
  ANTHROPIC_API_KEY: 'sk-ant-test',
  OPENAI_API_KEY: 'sk-test',
}

export const claudeCode: Agent = {
  name: 'Claude Code',
  program: 'claude',
  args: (prompt) => ['-p', prompt, '--model', 'claude-sonnet-5', '--allowedTools', 'Bash'],
  env: (url) => ({
    ANTHROPIC_BASE_URL: `${url}/anthropic`,
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
    // Else it won't run as root.
    IS_SANDBOX: '1',
  }),
}

const codexArgs = ['exec', '--skip-git-repo-check', '--dangerously-bypass-approvals-and-sandbox']
const codexSettings = `model = "gpt-5.4"
analytics = { enabled = false }
`

export const codex: Agent = {
  name: 'Codex, own provider',
  program: 'codex',
  args: (prompt) => [...codexArgs, prompt],
  files: (url) => ({
    '.codex/config.toml': `model_provider = "sluice"
${codexSettings}
[model_providers.sluice]
name = "Sluice"
base_url = "${url}/openai/v1"
env_key = "OPENAI_API_KEY"
wire_api = "responses"
`,
  }),
}

/** Tries a websocket first. */
export const codexBuiltIn: Agent = {
  name: 'Codex, built-in provider',
  program: 'codex',
  args: (prompt) => [...codexArgs, prompt],
  env: () => ({ CODEX_API_KEY: 'sk-test' }),
  files: (url) => ({
    '.codex/config.toml': `openai_base_url = "${url}/openai/v1"
${codexSettings}`,
  }),
}

export const openCode = (api: 'Messages' | 'Responses' | 'Chat'): Agent => ({
  name: `OpenCode, ${api}`,
  program: 'opencode',
  args: (prompt) => ['run', prompt],
  env: () => ({ OPENCODE_DISABLE_AUTOUPDATE: '1', OPENCODE_DISABLE_MODELS_FETCH: '1' }),
  files: (url) => ({ 'work/opencode.json': JSON.stringify(openCodeSettings[api](url)) }),
})

const openCodeSettings = {
  Messages: (url: string) => ({
    model: 'anthropic/claude-sonnet-4-5',
    provider: { anthropic: { options: { baseURL: `${url}/anthropic/v1` } } },
  }),
  Responses: (url: string) => ({
    model: 'openai/gpt-5.2',
    provider: { openai: { options: { baseURL: `${url}/openai/v1` } } },
  }),
  Chat: (url: string) => ({
    model: 'sluice/some-model',
    provider: {
      sluice: {
        npm: '@ai-sdk/openai-compatible',
        name: 'Sluice',
        options: { baseURL: `${url}/openai/v1`, apiKey: 'sk-test' },
        models: { 'some-model': { name: 'Some model' } },
      },
    },
  }),
}

export const pi = (api: 'Messages' | 'Responses' | 'Chat'): Agent => ({
  name: `pi, ${api}`,
  program: 'pi',
  args: (prompt) => ['-p', prompt, '--provider', 'sluice', '--model', 'some-model'],
  files: (url) => ({
    '.pi/agent/models.json': JSON.stringify({
      providers: {
        sluice: {
          baseUrl: api === 'Messages' ? `${url}/anthropic` : `${url}/openai/v1`,
          apiKey: api === 'Messages' ? 'ANTHROPIC_API_KEY' : 'OPENAI_API_KEY',
          api: piApis[api],
          models: [{ id: 'some-model' }],
        },
      },
    }),
  }),
})

const piApis = {
  Messages: 'anthropic-messages',
  Responses: 'openai-responses',
  Chat: 'openai-completions',
}
