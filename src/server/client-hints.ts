import type { Provider } from '../core/provider.ts'

/** How one client is pointed at this gateway. */
export interface ClientHint {
  readonly client: string
  /** Where the lines go: a shell, a file. */
  readonly where: string
  readonly lines: readonly string[]
}

/** What to tell each client, for the first provider that speaks its API. */
export function clientHints(url: string, providers: readonly Provider[]): ClientHint[] {
  const anthropic = providers.find(({ type }) => type === 'anthropic')
  const openai = providers.find(({ type }) => type === 'openai')
  return [
    ...(anthropic ? anthropicHints(`${url}/${anthropic.name}`) : []),
    ...(openai ? openaiHints(`${url}/${openai.name}/v1`) : []),
  ]
}

function anthropicHints(base: string): ClientHint[] {
  return [
    { client: 'Claude Code', where: 'shell', lines: [`ANTHROPIC_BASE_URL=${base} claude`] },
    { client: 'Anthropic SDKs', where: 'environment', lines: [`ANTHROPIC_BASE_URL=${base}`] },
  ]
}

function openaiHints(base: string): ClientHint[] {
  return [
    {
      client: 'Codex',
      where: '~/.codex/config.toml',
      lines: [
        'model_provider = "sluice"',
        '[model_providers.sluice]',
        'name = "Sluice"',
        `base_url = "${base}"`,
        'env_key = "OPENAI_API_KEY"',
        'wire_api = "responses"',
        // Else it tries a websocket first.
        'supports_websockets = false',
      ],
    },
    { client: 'OpenAI SDKs', where: 'environment', lines: [`OPENAI_BASE_URL=${base}`] },
  ]
}
