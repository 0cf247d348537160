import type { JsonObject } from '../core/json.ts'
import { chat, type Dialect, messages, responses } from './demo-dialects.ts'

/** A client of the demo: how it names itself and its session, and what it adds to each request. */
export interface DemoClient {
  readonly dialect: Dialect
  readonly stream: boolean
  readonly tools: readonly string[]
  headers(session: string): Record<string, string>
  body(session: string): JsonObject
}

const agentTools = ['Bash', 'Read', 'Edit']

export const claudeCode: DemoClient = {
  dialect: { ...messages, path: `${messages.path}?beta=true` },
  stream: true,
  tools: agentTools,
  headers: (session) => ({
    'user-agent': 'claude-cli/2.1.330 (external, cli)',
    'x-app': 'cli',
    'x-claude-code-session-id': session,
    'x-sluice-repo': 'parser',
    'x-sluice-branch': 'main',
    'x-sluice-issue': '42',
    'anthropic-version': '2023-06-01',
    'x-api-key': 'demo',
  }),
  body: (session) => ({
    model: 'claude-sonnet-4-5',
    max_tokens: 32_000,
    system: [
      {
        type: 'text',
        text: 'You are a coding agent. '.repeat(160),
        cache_control: { type: 'ephemeral' },
      },
    ],
    thinking: { type: 'enabled', budget_tokens: 8000 },
    metadata: { user_id: JSON.stringify({ device_id: 'demo', session_id: session }) },
  }),
}

export const codex: DemoClient = {
  dialect: responses,
  stream: true,
  tools: ['exec_command', 'view_image'],
  headers: (session) => ({
    'user-agent': 'codex_exec/0.169.0 (Debian 12.0.0; x86_64) dumb (codex_exec; 0.169.0)',
    originator: 'codex_exec',
    'session-id': session,
    'thread-id': session,
    authorization: 'Bearer demo',
  }),
  body: (session) => ({
    model: 'gpt-5-codex',
    instructions: 'You are a coding agent in a terminal. '.repeat(90),
    reasoning: { effort: 'medium', summary: 'auto' },
    include: ['reasoning.encrypted_content'],
    store: false,
    prompt_cache_key: session,
  }),
}

export const openCode: DemoClient = {
  dialect: chat,
  stream: true,
  tools: ['bash', 'read', 'grep'],
  headers: (session) => ({
    'user-agent': 'opencode/1.18.33 ai-sdk/provider-utils/4.0.46 runtime/bun/1.3.14',
    'x-session-id': `ses_${session.replaceAll('-', '').slice(0, 24)}`,
    authorization: 'Bearer demo',
  }),
  body: () => ({
    model: 'deepseek-reasoner',
    max_tokens: 32_000,
    stream_options: { include_usage: true },
  }),
}

export const copilot: DemoClient = {
  dialect: chat,
  stream: true,
  tools: ['bash', 'view', 'edit'],
  headers: () => ({
    'user-agent': 'OpenAI/JS 5.20.1',
    'x-initiator': 'user',
    'x-interaction-type': 'conversation-user',
    authorization: 'Bearer demo',
  }),
  body: () => ({ model: 'gpt-5.4', stream_options: { include_usage: true } }),
}

export const anthropicSdk: DemoClient = {
  dialect: messages,
  stream: false,
  tools: ['get_order', 'get_invoice'],
  headers: () => ({
    'user-agent': 'Anthropic/JS 1.12.0',
    'x-stainless-lang': 'js',
    'anthropic-version': '2026-10-21',
    authorization: 'Bearer demo',
  }),
  body: () => ({ model: 'claude-haiku-4-5', max_tokens: 1024 }),
}

export const openaiSdk: DemoClient = {
  dialect: responses,
  stream: false,
  tools: ['search_tickets'],
  headers: () => ({
    'user-agent': 'OpenAI/JS 6.49.0',
    'x-stainless-lang': 'js',
    authorization: 'Bearer demo',
  }),
  body: () => ({ model: 'gpt-5.4-mini' }),
}

/** Parameters and results of the tools above; none of them is really there. */
export const demoTools: Readonly<Record<string, { parameter: string; result: string }>> = {
  Bash: { parameter: 'command', result: '42 tests passed, 1 failed: parser keeps the last line' },
  bash: { parameter: 'command', result: 'README.md  package.json  src  test' },
  exec_command: { parameter: 'cmd', result: 'Exit code 0\nREADME.md  src  test' },
  Read: { parameter: 'file_path', result: '1  export function parse(text: string) {' },
  read: { parameter: 'filePath', result: '1  port: 8080' },
  view: { parameter: 'path', result: '1  # Notes' },
  Edit: { parameter: 'file_path', result: 'The file was changed.' },
  edit: { parameter: 'path', result: 'The file was changed.' },
  grep: { parameter: 'pattern', result: 'src/queue.ts:18: // TODO drain before close' },
  view_image: { parameter: 'path', result: 'A diagram with three boxes.' },
  get_order: { parameter: 'order_number', result: '{"status":"shipped","carrier":"boat"}' },
  get_invoice: { parameter: 'order_number', result: '{"total":"19.90","paid":true}' },
  search_tickets: { parameter: 'query', result: '2 tickets: 17 (open), 23 (closed)' },
}
