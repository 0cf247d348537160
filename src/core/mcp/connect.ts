import type { Client } from '@modelcontextprotocol/sdk/client/index.js'
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js'
import type { Initiator } from '../interception.ts'
import type { RawHeaders } from '../upstream.ts'
import { within } from '../within.ts'
import { boundedFetch } from './bounded-fetch.ts'
import { headersFor } from './server-headers.ts'
import type { McpServerOptions } from './server-options.ts'
import { errorWithoutSecrets, namedValues } from './server-secrets.ts'
import { tellTraces } from './trace-context.ts'

export interface Connection {
  readonly client: Client
  /** Names and values of what was sent to the server and may be a credential. */
  readonly sent: RawHeaders
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
  const { transport, terminate, sent } =
    'url' in server
      ? await httpTransport(server, { initiator, maxBytes, deadline })
      : await stdioTransport(server, maxBytes)
  tellTraces(transport)
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
    throw errorWithoutSecrets(error, sent)
  }
  return { client, sent, close }
}

interface Made {
  readonly sent: RawHeaders
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
  const target = new URL(url)
  const given = await beforeDeadline(headersFor(headers, initiator), deadline)
  const transport = new StreamableHTTPClientTransport(target, {
    requestInit: { headers: given },
    fetch: boundedFetch(maxBytes),
  })
  // The SDK's type of `sessionId` is at odds with exactOptionalPropertyTypes.
  return {
    transport: transport as Transport,
    sent: namedValues(given, Object.fromEntries(target.searchParams)),
    terminate: () => transport.terminateSession(),
  }
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
  return { transport, sent: namedValues(env), terminate: async () => {} }
}

function beforeDeadline<T>(promise: Promise<T>, deadline: AbortSignal): Promise<T> {
  return Promise.race([
    promise,
    new Promise<never>((_, reject) => {
      deadline.addEventListener('abort', () => reject(new Error('its headers took too long')))
    }),
  ])
}
