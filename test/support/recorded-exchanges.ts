import { existsSync, readdirSync, readFileSync } from 'node:fs'
import type { Format } from '../../src/core/format.ts'
import { formats } from '../../src/core/formats/formats.ts'
import { needs, sharedFolder } from './needs.ts'

/** A recorded exchange, and what is to be told of it. */
export interface RecordedExchange {
  readonly name: string
  readonly path: string
  readonly method: string
  readonly streaming: boolean
  readonly mcpInjection: boolean
  readonly expect: Expected
}

interface Expected {
  readonly prompt: string
  readonly model: string
  readonly status: number
  readonly outcome: string
  readonly passthrough?: true
  readonly tools: readonly { name: string; args: unknown; toolCallId: string }[]
  readonly thoughts: readonly { source: string; length: number; sha256: string }[]
  readonly correlatingToolCallId: string | null
  readonly tokens: readonly {
    responseId: string
    input: number
    output: number
    cacheRead: number
    cacheWrite: number
  }[]
}

/** Why there are none here. */
export const lacking: string | false = needs('shared')

const folder = `${sharedFolder}fixtures/`

export const recordedExchanges: readonly RecordedExchange[] = lacking
  ? []
  : readdirSync(folder)
      .filter((name) => existsSync(`${folder}${name}/case.json`))
      .map((name) => ({ name, ...JSON.parse(recordedBytes(name, 'case.json').toString()) }))

/** The provider's reply to the request, or to a later one: `response-2`. */
export function recordedReply(name: string, stem = 'response'): { file: string; bytes: Buffer } {
  const file = readdirSync(folder + name).find((each) => each.startsWith(`${stem}.`)) ?? ''
  return { file, bytes: recordedBytes(name, file) }
}

/** What the client sent; undefined where that had no body. */
export function recordedRequest(name: string): Buffer | undefined {
  return existsSync(`${folder}${name}/request.json`)
    ? recordedBytes(name, 'request.json')
    : undefined
}

/** The wire format of a route. */
export function formatOf(path: string): Format {
  if (path.endsWith('/messages')) return formats.anthropic_messages
  return path.endsWith('/responses') ? formats.openai_responses : formats.openai_chat
}

function recordedBytes(name: string, file: string): Buffer {
  return readFileSync(`${folder}${name}/${file}`)
}
