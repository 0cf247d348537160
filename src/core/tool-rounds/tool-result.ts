import { arrayOf, isObject, type JsonObject, objectOf, stringOf } from '../json.ts'

/** What came of a call, read once for all formats and within the size limit. */
export interface ToolResult {
  readonly parts: readonly ResultPart[]
  readonly isError: boolean
}

export type ResultPart =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'image'; readonly mimeType: string; readonly data: string }
  | { readonly type: 'audio'; readonly mimeType: string; readonly data: string }

/** The result of a call that gave none. */
export function failedResult(message: string): ToolResult {
  return { parts: [{ type: 'text', text: `Error calling tool: ${message}` }], isError: true }
}

/** Reads a server's answer; what is over `maxBytes` in all is cut, and says so. */
export function readResult(result: JsonObject, maxBytes: number): ToolResult {
  const parts = arrayOf(result.content).map((content) => readPart(objectOf(content)))
  // Servers repeat structured content as text; those that don't mean it to be read all the same.
  if (isObject(result.structuredContent) && !parts.some(({ type }) => type === 'text')) {
    parts.push({ type: 'text', text: JSON.stringify(result.structuredContent) })
  }
  if (parts.length === 0) parts.push({ type: 'text', text: 'The tool returned nothing.' })
  return { parts: limited(parts, maxBytes), isError: result.isError === true }
}

/** The texts of a result, and a word for what is none: for formats and records that take text only. */
export function textOfResult({ parts, isError }: ToolResult): string {
  const words = parts.map((part) => (part.type === 'text' ? part.text : notShown(part))).join('\n')
  // These formats have no mark for it.
  return isError && !/^\W*error/i.test(words) ? `Error: ${words}` : words
}

/** Stands for what a format can't pass on. */
export function notShown({ type, mimeType, data }: Exclude<ResultPart, { type: 'text' }>): string {
  return `[${type}, ${mimeType}, ${Math.floor((data.length * 3) / 4)} bytes: it can't be shown here]`
}

function readPart(content: JsonObject): ResultPart {
  const { type } = content
  const mimeType = stringOf(content.mimeType) ?? 'application/octet-stream'
  if (type === 'text') return text(stringOf(content.text) ?? '')
  if (type === 'image' || type === 'audio') {
    return { type, mimeType, data: stringOf(content.data) ?? '' }
  }
  if (type === 'resource') return readResource(objectOf(content.resource))
  if (type === 'resource_link') return text(linkText(content))
  return text(JSON.stringify(content))
}

function readResource(resource: JsonObject): ResultPart {
  const uri = stringOf(resource.uri) ?? ''
  const mimeType = stringOf(resource.mimeType) ?? 'application/octet-stream'
  const words = stringOf(resource.text)
  if (words !== undefined) return text(`Resource (MIME: ${mimeType}, URI: ${uri}):\n${words}`)
  const data = stringOf(resource.blob) ?? ''
  if (mimeType.startsWith('image/')) return { type: 'image', mimeType, data }
  if (mimeType.startsWith('audio/')) return { type: 'audio', mimeType, data }
  return text(`Binary resource (MIME: ${mimeType}, URI: ${uri}): ${data}`)
}

function linkText({ uri, name, description, mimeType }: JsonObject): string {
  const words = [name, description, mimeType].filter((each) => typeof each === 'string')
  return `Resource link: ${stringOf(uri) ?? ''}${words.length > 0 ? ` (${words.join(', ')})` : ''}`
}

function text(words: string): ResultPart {
  return { type: 'text', text: words }
}

function limited(parts: readonly ResultPart[], maxBytes: number): ResultPart[] {
  let left = maxBytes
  const kept: ResultPart[] = []
  const all = parts.reduce((sum, part) => sum + sizeOf(part), 0)
  for (const part of parts) {
    const size = sizeOf(part)
    if (size <= left) kept.push(part)
    else {
      if (part.type === 'text' && left > 0) kept.push(text(cutText(part.text, left)))
      kept.push(
        text(`[The result was cut: it has ${all} bytes, at most ${maxBytes} are passed on.]`),
      )
      break
    }
    left -= size
  }
  return kept
}

function sizeOf(part: ResultPart): number {
  return Buffer.byteLength(part.type === 'text' ? part.text : part.data)
}

/** Whole characters only. */
function cutText(words: string, bytes: number): string {
  const buffer = Buffer.from(words)
  let end = bytes
  // A byte of the form 10xxxxxx continues a character.
  while (end > 0 && ((buffer[end] ?? 0) & 0xc0) === 0x80) end--
  return buffer.toString('utf8', 0, end)
}
