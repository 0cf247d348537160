import type { Provider } from '../core/provider.ts'
import type { AuthMode } from './settings.ts'

/** How one client is pointed at this gateway. */
export interface ClientHint {
  readonly client: string
  /** Where the lines go: a shell, a file. */
  readonly where: string
  readonly lines: readonly string[]
}

/** What to tell each client, for the first provider that speaks its API. */
export function clientHints(
  url: string,
  providers: readonly Provider[],
  auth: AuthMode = 'none',
): ClientHint[] {
  const token = auth === 'tokens' || auth === 'jwt'
  const anthropic = providers.find(({ type }) => type === 'anthropic')
  const openai = providers.find(({ type }) => type === 'openai')
  return [
    ...(anthropic ? anthropicHints(`${url}/${anthropic.name}`, token) : []),
    ...(openai ? openaiHints(`${url}/${openai.name}/v1`, token) : []),
  ]
}

/** The token goes where the provider's key would: in a variable of the user's, never in a file. */
const variable = 'SLUICE_TOKEN'

function anthropicHints(base: string, token: boolean): ClientHint[] {
  const login = token ? ` ANTHROPIC_AUTH_TOKEN=$${variable}` : ''
  const line = `ANTHROPIC_BASE_URL=${base}${login}`
  return [
    { client: 'Claude Code', where: 'shell', lines: [`${line} claude`] },
    { client: 'Anthropic SDKs', where: 'environment', lines: [line] },
  ]
}

function openaiHints(base: string, token: boolean): ClientHint[] {
  return [
    {
      client: 'Codex',
      where: '~/.codex/config.toml',
      lines: [
        'model_provider = "sluice"',
        '[model_providers.sluice]',
        'name = "Sluice"',
        `base_url = "${base}"`,
        `env_key = "${token ? variable : 'OPENAI_API_KEY'}"`,
        'wire_api = "responses"',
        // Else it tries a websocket first.
        'supports_websockets = false',
      ],
    },
    {
      client: 'OpenAI SDKs',
      where: 'environment',
      lines: [`OPENAI_BASE_URL=${base}${token ? ` OPENAI_API_KEY=$${variable}` : ''}`],
    },
  ]
}
