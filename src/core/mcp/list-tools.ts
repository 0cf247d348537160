import type { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { arrayOf, type JsonObject, objectOf, stringOf } from '../json.ts'
import { unknownArgument, usableSchema } from './tool-schema.ts'

/** A tool as its server describes it. */
export interface ServerTool {
  /** The server's own name for it. */
  readonly name: string
  readonly description: string
  readonly inputSchema: JsonObject
}

export interface ListOptions {
  /** For all pages, in ms. */
  readonly timeout: number
  readonly accepts: (name: string) => boolean
  /** Hears of tools that can't be offered. */
  readonly refused: (name: string, why: string) => void
}

/** A server that never ends its list is cut off here. */
const maxPages = 100

/**
 * All pages of a server's tools. They are read with a lenient schema: the SDK's own would refuse the whole list for
 * one broken tool.
 */
export async function listTools(
  client: Client,
  { timeout, accepts, refused }: ListOptions,
): Promise<ServerTool[]> {
  const { ResultSchema } = await import('@modelcontextprotocol/sdk/types.js')
  const tools = new Map<string, ServerTool>()
  const signal = AbortSignal.timeout(timeout)
  let cursor: string | undefined
  for (let page = 0; page < maxPages; page++) {
    const request = {
      method: 'tools/list' as const,
      params: cursor === undefined ? {} : { cursor },
    }
    const result: JsonObject = await client
      .request(request, ResultSchema, { timeout, signal })
      .catch((error: unknown) => {
        throw signal.aborted
          ? new Error(`it took more than ${timeout} ms to list its tools`)
          : error
      })
    for (const tool of arrayOf(result.tools).map(objectOf)) {
      const name = stringOf(tool.name) ?? ''
      if (name === '' || !accepts(name) || tools.has(name)) continue
      const inputSchema = await usableSchema(tool.inputSchema)
      if (!inputSchema) refused(name, 'its input schema is broken')
      else if (objectOf(tool.execution).taskSupport === 'required')
        refused(name, 'it runs as a task only')
      else {
        const argument = unknownArgument(inputSchema)
        if (argument) refused(name, `Messages requests can't name its argument "${argument}"`)
        tools.set(name, { name, description: stringOf(tool.description) ?? '', inputSchema })
      }
    }
    cursor = stringOf(result.nextCursor) || undefined
    if (cursor === undefined) break
  }
  return [...tools.values()]
}
