import type { JsonObject } from '../json.ts'
import type { InjectedTool } from '../mcp/toolbox.ts'

/** Writes tools as one format has them, with commas between: each tool only once, however many requests it is put into. */
export function toolJson(
  describe: (tool: InjectedTool) => JsonObject,
): (tools: readonly InjectedTool[]) => Uint8Array {
  const written = new WeakMap<InjectedTool, Uint8Array>()
  const write = (tool: InjectedTool) => {
    const known = written.get(tool)
    if (known) return known
    const bytes = Buffer.from(JSON.stringify(describe(tool)))
    written.set(tool, bytes)
    return bytes
  }
  return (tools) =>
    Buffer.concat(tools.flatMap((tool, at) => (at === 0 ? [write(tool)] : [comma, write(tool)])))
}

const comma = Buffer.from(',')
