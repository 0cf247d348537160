import type { Client } from '@modelcontextprotocol/sdk/client/index.js'
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js'
import type { Initiator } from '../interception.ts'
import { within } from '../within.ts'
import { boundedFetch } from './bounded-fetch.ts'
import { headersFor } from './server-headers.ts'
import type { McpServerOptions } from './server-options.ts'

export interface Connection {
  readonly client: Client
  /** Ends the session; never rejects. */
  close(): Promise<void>
}

export interface ConnectOptions {
  readonly initiator: Initiator
  readonly timeout: number
  /** What one message may have. */
  readonly maxBytes: number
}

/** Connects to a server and agrees on a protocol version. Rejects where either fails or takes too long. */
export async function connect(
  server: McpServerOptions,
  { initiator, timeout, maxBytes }: ConnectOptions,
): Promise<Connection> {
  const deadline = AbortSignal.timeout(timeout)
  const { Client } = await import('@modelcontextprotocol/sdk/client/index.js')
  const client = new Client({ name: 'sluice', version: '1' })
  const { transport, terminate } =
    'url' in server
      ? await httpTransport(server, { initiator, maxBytes, deadline })
      : await stdioTransport(server, maxBytes)
  const close = async () => {
    await within(terminate(), 5000)
    await within(client.close(), 5000)
  }
  const late = new Promise<never>((_, reject) => {
    deadline.addEventListener('abort', () => reject(new Error(`no answer within ${timeout} ms`)))
  })
  try {
    await Promise.race([client.connect(transport, { timeout, signal: deadline }), late])
  } catch (error) {
    void close()
    throw error
  }
  return { client, close }
}

interface Made {
  readonly transport: Transport
  readonly terminate: () => Promise<void>
}

async function httpTransport(
  { url, headers = {} }: Extract<McpServerOptions, { url: unknown }>,
  {
    initiator,
    maxBytes,
    deadline,
  }: { initiator: Initiator; maxBytes: number; deadline: AbortSignal },
): Promise<Made> {
  const { StreamableHTTPClientTransport } = await import(
    '@modelcontextprotocol/sdk/client/streamableHttp.js'
  )
  const transport = new StreamableHTTPClientTransport(new URL(url), {
    requestInit: { headers: await beforeDeadline(headersFor(headers, initiator), deadline) },
    fetch: boundedFetch(maxBytes),
  })
  // The SDK's type of `sessionId` is at odds with exactOptionalPropertyTypes.
  return { transport: transport as Transport, terminate: () => transport.terminateSession() }
}

async function stdioTransport(
  { command, args = [], env = {} }: Extract<McpServerOptions, { command: unknown }>,
  maxBytes: number,
): Promise<Made> {
  const { StdioClientTransport } = await import('@modelcontextprotocol/sdk/client/stdio.js')
  const transport = new StdioClientTransport({
    command,
    args: [...args],
    env: { ...env },
    stderr: 'ignore',
    maxBufferSize: maxBytes,
  })
  return { transport, terminate: async () => {} }
}

function beforeDeadline<T>(promise: Promise<T>, deadline: AbortSignal): Promise<T> {
  return Promise.race([
    promise,
    new Promise<never>((_, reject) => {
      deadline.addEventListener('abort', () => reject(new Error('its headers took too long')))
    }),
  ])
}
