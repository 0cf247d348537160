import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js'
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js'
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js'
import { objectOf } from '../../src/core/json.ts'

/** What the server was told of each request: by method, `_meta` of its parameters. */
export type Told = Record<string, unknown>

/** Connects a server of MCP's own SDK whose tool `echo` tells, as JSON, what came with the requests so far. */
export async function serveEcho(transport: Transport, told: Told = {}): Promise<void> {
  const server = new McpServer({ name: 'echo', version: '1' })
  server.registerTool('echo', { description: 'Tells what it was told.' }, () => ({
    content: [{ type: 'text', text: JSON.stringify(told) }],
  }))
  await server.connect(transport)
  const { onmessage } = transport
  transport.onmessage = (message, extra) => {
    if ('method' in message) told[message.method] = objectOf(message.params)._meta ?? null
    onmessage?.(message, extra)
  }
}

if (import.meta.main) await serveEcho(new StdioServerTransport())
