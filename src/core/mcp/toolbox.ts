import { messageOf } from '../errors.ts'
import type { Initiator } from '../interception.ts'
import type { JsonObject } from '../json.ts'
import type { SafeSpan } from '../tracing/safe-span.ts'
import type { Tell } from './news.ts'
import { type CallOptions, ServerProxy } from './server.ts'
import type { McpServerOptions } from './server-options.ts'
import { toolNames } from './tool-names.ts'

/** A tool of an MCP server as a request offers it. */
export interface InjectedTool {
  /** Under which the model knows it: `bmcp_server_tool`. */
  readonly id: string
  readonly server: string
  readonly serverUrl: string
  /** The server's own name for it. */
  readonly name: string
  readonly description: string
  readonly inputSchema: JsonObject
}

export interface ToolboxOptions {
  readonly servers: Readonly<Record<string, McpServerOptions>>
  readonly prefix: string
  readonly initiator: Initiator
  readonly connectTimeout: number
  readonly maxBytes: number
  readonly log: Tell
}

/** The tools of all servers as one initiator. */
export class Toolbox {
  readonly #servers: readonly ServerProxy[]
  readonly #options: ToolboxOptions
  #tools: ReadonlyMap<string, InjectedTool> | undefined

  constructor(options: ToolboxOptions) {
    this.#options = options
    const { servers, initiator, connectTimeout, maxBytes, log } = options
    const changed = () => {
      this.#tools = undefined
    }
    this.#servers = Object.entries(servers).map(
      ([name, server]) =>
        new ServerProxy(name, server, { initiator, connectTimeout, maxBytes, changed, log }),
    )
  }

  /** Connects to all servers at once. Never rejects: those that fail are logged and tried again later. */
  async init(parent: SafeSpan | null = null): Promise<void> {
    const span = parent?.child('ServerProxyManager.Init')
    await Promise.all(
      this.#servers.map((server) =>
        server.init(span).catch((error: unknown) => {
          const { log } = this.#options
          span?.fail(messageOf(error))
          const what = `MCP server "${server.name}" can't be used: ${messageOf(error)}`
          log('warn', what, server.name)
        }),
      ),
    )
    span?.end()
  }

  /** By id, and in its order. */
  get tools(): ReadonlyMap<string, InjectedTool> {
    this.#tools ??= this.#named()
    return this.#tools
  }

  /** Runs a tool. Rejects where there is no such tool or it gave no answer. */
  async call(id: string, args: JsonObject, options: CallOptions): Promise<JsonObject> {
    const tool = this.tools.get(id)
    const server = this.#servers.find(({ name }) => name === tool?.server)
    if (!tool || !server) throw new Error(`there is no tool "${id}" any more`)
    return server.call(tool.name, args, options)
  }

  /** Never rejects. */
  async close(): Promise<void> {
    await Promise.all(this.#servers.map((server) => server.close()))
  }

  #named(): ReadonlyMap<string, InjectedTool> {
    const tools = this.#servers.flatMap(({ name: server, address: serverUrl, tools }) =>
      tools.map((tool) => ({ server, serverUrl, ...tool })),
    )
    const names = toolNames(this.#options.prefix, tools)
    return new Map(
      tools
        .map((tool, at): InjectedTool => ({ id: names[at] as string, ...tool }))
        .sort((a, b) => (a.id < b.id ? -1 : 1))
        .map((tool) => [tool.id, tool]),
    )
  }
}
