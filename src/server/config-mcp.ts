import { z } from 'zod'
import { messageOf } from '../core/errors.ts'
import { isObject } from '../core/json.ts'
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
  if (!isObject(mcpServers)) {
    faults.push(`${name}: mcpServers: must be servers by name`)
    return {}
  }
  const servers: Record<string, McpServerOptions> = {}
  for (const [key, given] of Object.entries(mcpServers)) {
    const { success, data, error } = server.safeParse(given)
    for (const { path, message } of error?.issues ?? [])
      faults.push(`${name}: ${['mcpServers', key, ...path].map(String).join('.')}: ${message}`)
    if (!success) continue
    servers[key] = data as McpServerOptions
    try {
      checkServers({ [key]: servers[key] })
    } catch (error) {
      faults.push(`${name}: mcpServers: ${messageOf(error)}`)
    }
  }
  return servers
}
