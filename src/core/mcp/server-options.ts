import { validateHeaderName, validateHeaderValue } from 'node:http'
import { messageOf, SluiceError } from '../errors.ts'
import type { Initiator } from '../interception.ts'

/** An MCP server behind the gateway, over Streamable HTTP or as a program on this machine. */
export type McpServerOptions = HttpServerOptions | StdioServerOptions

interface HttpServerOptions extends ToolChoice {
  readonly url: string | URL
  /** Sent with each call; in values `${initiator.username}`, `${initiator.id}` and `${initiator.name}` are filled in. */
  readonly headers?: ServerHeaders
}

interface StdioServerOptions extends ToolChoice {
  readonly command: string
  readonly args?: readonly string[]
  /** Beside PATH, HOME, USER, SHELL and TERM: nothing else of our own environment reaches the program. */
  readonly env?: Readonly<Record<string, string>>
}

/** Which tools are offered, by expressions that are looked for anywhere in the tool's own name. */
export interface ToolChoice {
  /** @default all */
  readonly allow?: string | RegExp
  /** Beats `allow`. @default none */
  readonly deny?: string | RegExp
}

/** Fixed, or asked for whenever a connection for somebody is made: with a token of theirs. */
export type ServerHeaders =
  | Readonly<Record<string, string>>
  | ((
      initiator: Initiator,
    ) => Readonly<Record<string, string>> | Promise<Readonly<Record<string, string>>>)

/** Throws `ERR_MCP_SERVER` where a server's name, URL or expressions will not do. */
export function checkServers(servers: Readonly<Record<string, McpServerOptions>>): void {
  for (const [name, options] of Object.entries(servers)) {
    if (!/^[A-Za-z0-9_-]{1,40}$/.test(name))
      throw fault(name, 'its name may have 1 to 40 letters, digits, hyphens and underscores')
    if ('url' in options === 'command' in options)
      throw fault(name, 'give it either a url or a command')
    if ('url' in options && !/^https?:$/.test(URL.parse(String(options.url))?.protocol ?? ''))
      throw fault(name, 'its url must be an http:// or https:// URL')
    // `fetch` takes none, and its error would tell them.
    if ('url' in options && hasCredentials(new URL(options.url)))
      throw fault(name, 'its url may have no user name or password: send them as a header')
    if ('url' in options) checkHeaders(name, options.headers ?? {})
    for (const member of ['allow', 'deny'] as const) {
      try {
        expression(options[member])
      } catch (cause) {
        throw fault(name, `${member}: ${messageOf(cause)}`)
      }
    }
  }
}

export function expression(source: string | RegExp | undefined): RegExp | undefined {
  if (source === undefined) return undefined
  // A `g` or `y` would make it remember where it was.
  return source instanceof RegExp
    ? new RegExp(source.source, source.flags.replace(/[gy]/g, ''))
    : new RegExp(source)
}

/** What records and logs call the server: never with credentials or a query. */
export function addressOf(name: string, options: McpServerOptions): string {
  if ('command' in options) return `stdio:${name}`
  const { origin, pathname } = new URL(options.url)
  return pathname === '/' ? origin : origin + pathname
}

/** Names the header and never what it holds. */
function checkHeaders(name: string, headers: ServerHeaders): void {
  if (typeof headers === 'function') return
  for (const [header, value] of Object.entries(headers)) {
    try {
      validateHeaderName(header)
      validateHeaderValue(header, value)
    } catch {
      throw fault(
        name,
        `HTTP knows no such header, or no such value of it: ${JSON.stringify(header)}`,
      )
    }
  }
}

function hasCredentials({ username, password }: URL): boolean {
  return username !== '' || password !== ''
}

function fault(name: string, what: string): SluiceError {
  return new SluiceError(`MCP server "${name}": ${what}`, { code: 'ERR_MCP_SERVER' })
}
