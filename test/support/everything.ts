import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createRequire } from 'node:module'
import type { McpServerOptions } from '../../src/core/mcp/server-options.ts'
import { freePort } from './free-port.ts'

const program: string = createRequire(import.meta.url).resolve(
  '@modelcontextprotocol/server-everything/dist/index.js',
)

/** The protocol's reference server as a program that speaks over its standard streams. */
export const everythingOverStdio: McpServerOptions = {
  command: process.execPath,
  args: [program, 'stdio'],
}

/** The same over Streamable HTTP. */
export async function everythingOverHttp(): Promise<{ url: string; close(): Promise<void> }> {
  const port = await freePort()
  const child = spawn(process.execPath, [program, 'streamableHttp'], {
    env: { PATH: process.env.PATH, PORT: String(port) },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let said = ''
  for await (const chunk of child.stderr.iterator({ destroyOnReturn: false })) {
    said += chunk
    if (said.includes('listening')) break
  }
  child.stderr.resume()
  return {
    url: `http://127.0.0.1:${port}/mcp`,
    close: async () => {
      const gone = once(child, 'exit')
      child.kill('SIGKILL')
      await gone
    },
  }
}
