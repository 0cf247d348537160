import { createHash } from 'node:crypto'

export interface NamedTool {
  readonly server: string
  readonly name: string
}

/** What providers take: at most so many letters, digits, underscores and hyphens. */
const maxLength = 64

/**
 * The names under which tools are offered to models, in the order of the tools: `bmcp_server_tool`. What does not fit,
 * or fits two tools, gets a hash of server and tool at its end, so that a name never depends on the order.
 */
export function toolNames(prefix: string, tools: readonly NamedTool[]): string[] {
  const plain = tools.map(({ server, name }) => `${prefix}_${server}_${name}`)
  const seen = new Map<string, number>()
  for (const name of plain) seen.set(name, (seen.get(name) ?? 0) + 1)
  return tools.map((tool, at) => {
    const name = plain[at] as string
    const fits = name.length <= maxLength && !/[^\w-]/.test(name)
    return fits && seen.get(name) === 1 ? name : hashed(name, tool)
  })
}

function hashed(name: string, { server, name: own }: NamedTool): string {
  const hash = createHash('sha256')
    .update(JSON.stringify([server, own]))
    .digest('hex')
    .slice(0, 8)
  return `${name.replace(/[^\w-]/gu, '_').slice(0, maxLength - 9)}_${hash}`
}
