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
    ...(anthropic
      ? anthropicHints(`${url}/${anthropic.name}`, token && tokenPlace(anthropic))
      : []),
    ...(openai ? openaiHints(`${url}/${openai.name}/v1`, token && tokenPlace(openai)) : []),
  ]
}

/** Where the provider's key would be, or beside it where the client has to bring that. */
type TokenPlace = 'key' | 'header'

function tokenPlace({ key }: Provider): TokenPlace {
  return key === undefined ? 'header' : 'key'
}

/** A variable of the user's: no token belongs into a file, or this text. */
const variable = 'SLUICE_TOKEN'
const header = 'X-Sluice-Token'

function anthropicHints(base: string, place: TokenPlace | false): ClientHint[] {
  const line = `ANTHROPIC_BASE_URL=${base}`
  const custom = `ANTHROPIC_CUSTOM_HEADERS="${header}: $${variable}"`
  const login = { key: `ANTHROPIC_AUTH_TOKEN=$${variable}`, header: custom }
  const words = place ? [line, login[place]] : [line]
  return [
    { client: 'Claude Code', where: 'shell', lines: [[...words, 'claude'].join(' ')] },
    { client: 'Anthropic SDKs', where: 'environment', lines: [words.join(' ')] },
  ]
}

function openaiHints(base: string, place: TokenPlace | false): ClientHint[] {
  const settings = [
    'model_provider = "sluice"',
    '[model_providers.sluice]',
    'name = "Sluice"',
    `base_url = "${base}"`,
    `env_key = "${place === 'key' ? variable : 'OPENAI_API_KEY'}"`,
    ...(place === 'header' ? [`env_http_headers = { "${header}" = "${variable}" }`] : []),
    'wire_api = "responses"',
    // Else it tries a websocket first.
    'supports_websockets = false',
  ]
  const sdk = {
    key: ` OPENAI_API_KEY=$${variable}`,
    header: `, and defaultHeaders: { '${header}': … }`,
  }
  return [
    { client: 'Codex', where: '~/.codex/config.toml', lines: settings },
    {
      client: 'OpenAI SDKs',
      where: 'environment',
      lines: [`OPENAI_BASE_URL=${base}${place ? sdk[place] : ''}`],
    },
  ]
}
