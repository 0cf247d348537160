import { z } from 'zod'
import { messageOf } from '../core/errors.ts'
import { checkServers, type McpServerOptions } from '../core/mcp/server-options.ts'
import type { ConfigFile } from './config-file.ts'

const texts = z.record(z.string(), z.coerce.string())
const choice = { allow: z.string().optional(), deny: z.string().optional() }
const server = z.union(
  [
    z.strictObject({ url: z.string(), headers: texts.optional(), ...choice }),
    z.strictObject({
      command: z.string().min(1),
      args: z.array(z.coerce.string()).optional(),
      env: texts.optional(),
      ...choice,
    }),
  ],
  { error: 'must be { url, headers?, allow?, deny? } or { command, args?, env?, allow?, deny? }' },
)

/** The file's MCP servers, whose tools are offered to models. */
export function readMcpServers(
  { mcpServers = {}, name }: ConfigFile,
  faults: string[],
): Readonly<Record<string, McpServerOptions>> {
  const result = z
    .record(z.string(), server, { error: 'must be servers by name' })
    .safeParse(mcpServers)
  if (!result.success) {
    for (const { path, message } of result.error.issues)
      faults.push(`${name}: ${['mcpServers', ...path].map(String).join('.')}: ${message}`)
    return {}
  }
  const servers = result.data as Record<string, McpServerOptions>
  for (const [key, options] of Object.entries(servers)) {
    try {
      checkServers({ [key]: options })
    } catch (error) {
      faults.push(`${name}: mcpServers: ${messageOf(error)}`)
    }
  }
  return servers
}
