import { messageOf } from '../errors.ts'
import type { Initiator } from '../interception.ts'
import type { JsonObject } from '../json.ts'
import type { SafeSpan } from '../tracing/safe-span.ts'
import { sentCall } from './bounded-fetch.ts'
import { type Connection, connect } from './connect.ts'
import { type ListOptions, listTools, type ServerTool } from './list-tools.ts'
import type { Tell } from './news.ts'
import { oneAtATime } from './one-at-a-time.ts'
import { protocolError } from './protocol-error.ts'
import { addressOf, type McpServerOptions } from './server-options.ts'
import { errorWithoutSecrets, resultWithoutSecrets } from './server-secrets.ts'
import { toolFilter } from './tool-filter.ts'
import { sendWithin } from './trace-context.ts'
import { unlessLate } from './unless-late.ts'

export interface ServerProxyOptions {
  readonly initiator: Initiator
  /** For connecting and listing the tools, in ms. */
  readonly connectTimeout: number
  /** What one message of the server may have, in bytes. */
  readonly maxBytes: number
  /** Its tools are others now. */
  readonly changed: () => void
  readonly log: Tell
}

export interface CallOptions {
  readonly signal: AbortSignal
  /** In ms. */
  readonly timeout: number
  /** What the call is part of. */
  readonly span?: SafeSpan | null
}

/** One MCP server as one initiator: connected, its tools known, connected anew when it was lost. */
export class ServerProxy {
  readonly name: string
  /** For records: no credentials, no query. */
  readonly address: string
  readonly #server: McpServerOptions
  readonly #options: ServerProxyOptions
  readonly #accepts: (name: string) => boolean
  #tools: readonly ServerTool[] = []
  /** Tools that were said to be left out. */
  readonly #refused = new Set<string>()
  #connection: Connection | undefined
  #connecting: Promise<Connection> | undefined
  #failures = 0
  #retry: NodeJS.Timeout | undefined
  #closed = false

  constructor(name: string, server: McpServerOptions, options: ServerProxyOptions) {
    this.name = name
    this.address = addressOf(name, server)
    this.#server = server
    this.#options = options
    this.#accepts = toolFilter(server)
  }

  /** As last heard; they stay while the server is away, so that requests look the same. */
  get tools(): readonly ServerTool[] {
    return this.#tools
  }

  /** Connects and learns the tools. Rejects where that fails; it is tried again later by itself. */
  async init(parent?: SafeSpan): Promise<void> {
    const names = { mcp_proxy_name: this.name, mcp_server_name: this.name }
    const attributes = { ...names, mcp_server_url: this.address }
    const span = parent?.child('StreamableHTTPServerProxy.Init', attributes)
    const list: List = (connection, timeout) => {
      const listed = span?.child('StreamableHTTPServerProxy.Init.fetchTools', attributes)
      return this.#list(connection, timeout, listed)
    }
    try {
      await this.#connected(list, span)
    } catch (error) {
      span?.fail(messageOf(error))
      throw error
    } finally {
      span?.end()
    }
  }

  /** Runs a tool: what the server answered, `isError` or not. Rejects where it gave no answer. */
  async call(name: string, args: JsonObject, options: CallOptions): Promise<JsonObject> {
    const deadline = performance.now() + options.timeout
    const left = () => Math.max(1, Math.round(deadline - performance.now()))
    const connected = () => unlessLate(this.#connected(), options, left())
    const send = (connection: Connection) => this.#send(connection, name, args, options, left())
    const connection = await connected()
    try {
      return await send(connection)
    } catch (error) {
      if (!isLost(error)) throw error
      this.#lost(connection)
      // A session that the server has forgotten: it has not looked at the call.
      if (codeOf(error) !== 404) throw error
      return await send(await connected())
    }
  }

  /** Ends the session; never rejects. */
  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#retry)
    const connection = this.#connection
    this.#connection = undefined
    await connection?.close()
  }

  async #send(
    { client, sent }: Connection,
    name: string,
    args: JsonObject,
    { signal, timeout, span }: CallOptions,
    left: number,
  ): Promise<JsonObject> {
    const { ResultSchema } = await import('@modelcontextprotocol/sdk/types.js')
    const request = { method: 'tools/call' as const, params: { name, arguments: { ...args } } }
    const broken = new AbortController()
    const ended = AbortSignal.any([signal, broken.signal])
    try {
      const result = await sentCall.run({ broken: (why) => broken.abort(new Error(why)) }, () =>
        sendWithin(span, () =>
          // The SDK's own `callTool` would refuse what does not match the tool's output schema.
          client.request(request, ResultSchema, {
            signal: ended,
            timeout: left,
            maxTotalTimeout: left,
          }),
        ),
      )
      return resultWithoutSecrets(result, sent)
    } catch (error) {
      if (broken.signal.aborted) throw broken.signal.reason
      if (codeOf(error) === timedOut && !signal.aborted)
        throw new Error(`no answer within ${timeout} ms`)
      throw errorWithoutSecrets(protocolError(error), sent)
    }
  }

  #connected(
    list: List = (made, timeout) => this.#list(made, timeout),
    span?: SafeSpan,
  ): Promise<Connection> {
    if (this.#closed) return Promise.reject(closedError(this.name))
    if (this.#connection) return Promise.resolve(this.#connection)
    this.#connecting ??= this.#connect(list, span).finally(() => {
      this.#connecting = undefined
    })
    return this.#connecting
  }

  async #connect(list: List, span?: SafeSpan): Promise<Connection> {
    const { initiator, connectTimeout: timeout, maxBytes, log } = this.#options
    clearTimeout(this.#retry)
    const deadline = performance.now() + timeout
    let connection: Connection | undefined
    try {
      connection = await sendWithin(span, () =>
        connect(this.#server, { initiator, timeout, maxBytes }),
      )
      await this.#watch(connection)
      await list(connection, Math.max(1, Math.round(deadline - performance.now())))
      // Closed while it was made: whoever closes does not wait for a server that may never answer.
      if (this.#closed) throw closedError(this.name)
      if (this.#failures > 0) log('info', `MCP server "${this.name}" is back`, this.name)
      this.#failures = 0
      this.#connection = connection
      return connection
    } catch (error) {
      void connection?.close()
      this.#scheduleRetry()
      throw errorWithoutSecrets(protocolError(error), connection?.sent ?? [])
    }
  }

  async #watch(connection: Connection): Promise<void> {
    const { ToolListChangedNotificationSchema } = await import('@modelcontextprotocol/sdk/types.js')
    const { client } = connection
    client.onclose = () => this.#lost(connection)
    const relist = oneAtATime(() => this.#relist(connection), relistGapMs)
    client.setNotificationHandler(ToolListChangedNotificationSchema, relist)
  }

  async #relist(connection: Connection): Promise<void> {
    // Its first list may have been read before the change, and would come last.
    await this.#connecting?.catch(() => {})
    if (this.#connection !== connection) return
    try {
      await this.#list(connection, this.#options.connectTimeout)
    } catch (failure) {
      const { log } = this.#options
      const error = errorWithoutSecrets(failure, connection.sent)
      const what = `MCP server "${this.name}" can't list its changed tools: ${messageOf(error)}`
      log('warn', what, this.name)
    }
  }

  async #list({ client, sent }: Connection, timeout: number, span?: SafeSpan): Promise<void> {
    const { log, changed } = this.#options
    let seen = 0
    const options: ListOptions = {
      timeout,
      accepts: (tool) => {
        seen++
        return this.#accepts(tool)
      },
      refused: (tool, why) => {
        if (this.#refused.has(tool)) return
        this.#refused.add(tool)
        const what = `tool "${tool}" of MCP server "${this.name}" is left out: ${why}`
        log('warn', what, `${this.name} ${tool}`)
      },
    }
    try {
      this.#tools = await sendWithin(span, () => listTools(client, options))
    } catch (failure) {
      const error = errorWithoutSecrets(protocolError(failure), sent)
      span?.fail(messageOf(error))
      throw error
    } finally {
      span?.set({ mcp_tool_count: seen })
      span?.end()
    }
    changed()
  }

  #lost(connection: Connection): void {
    if (this.#connection !== connection) return
    this.#connection = undefined
    void connection.close()
    if (this.#closed) return
    this.#options.log('warn', `MCP server "${this.name}" is lost`, this.name)
    this.#scheduleRetry()
  }

  #scheduleRetry(): void {
    if (this.#closed) return
    const delay = Math.min(maxDelayMs, firstDelayMs * 2 ** this.#failures++)
    clearTimeout(this.#retry)
    this.#retry = setTimeout(() => {
      this.#connected().catch(() => {})
    }, delay).unref()
  }
}

/** Learns the tools, in so many ms. */
type List = (made: Connection, timeout: number) => Promise<void>

/** Some servers say that their list has changed whenever it is read. */
const relistGapMs = 1000
const firstDelayMs = 1000
const maxDelayMs = 60_000
/** JSON-RPC codes of the SDK's own errors. */
const timedOut = -32001
const connectionClosed = -32000

function closedError(name: string): Error {
  return new Error(`MCP server "${name}" is closed`)
}

/** The connection is at fault and not the call: a tool that fails never costs its server. */
function isLost(error: unknown): boolean {
  const code = codeOf(error)
  return error instanceof TypeError || code === connectionClosed || code === 404
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined
}
