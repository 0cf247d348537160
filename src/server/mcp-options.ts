import type { McpOptions } from '../core/mcp/injected-tools.ts'
import type { Config } from './config.ts'

/** What the configuration says of MCP servers, as the gateway takes it. */
export function mcpOptions(config: Config): McpOptions {
  return {
    servers: config.mcpServers,
    prefix: config.mcpPrefix,
    poolTtl: config.mcpPoolTtl,
    poolSize: config.mcpPoolSize,
    maxRounds: config.mcpMaxRounds,
    maxCalls: config.mcpMaxCalls,
    callTimeout: config.mcpCallTimeout,
    totalTimeout: config.mcpTotalTimeout,
    maxResult: config.mcpMaxResult,
    parallel: config.mcpParallel,
  }
}
