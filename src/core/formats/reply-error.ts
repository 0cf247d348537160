import { errorTypeOf, errorTypeOfCode } from '../error-type.ts'
import type { ErrorType } from '../events.ts'
import { type JsonObject, objectOf, parseJson, stringOf } from '../json.ts'

export interface ReplyError {
  readonly errorType: ErrorType
  readonly message: string
}

/** The error of a refused request: typed by its status, or by its body where the status says nothing. */
export function errorOfStatus(status: number, body: string): ReplyError {
  const json = parseJson(body)
  const { errorType, message } = errorOf(objectOf(json))
  const byStatus = errorTypeOf(status)
  return {
    errorType: byStatus === 'unknown' ? errorType : byStatus,
    message:
      message || shortened(json === undefined ? body.trim() : '') || `upstream answered ${status}`,
  }
}

/**
 * The error of an object that holds one as `error`, or is one: Anthropic `{error: {type, message}}`,
 * OpenAI `{error: {type, code, message}}`, Responses `{code, message}`, others `{error: "text"}`.
 */
export function errorOf(holder: JsonObject): ReplyError {
  const { error } = holder
  const details = typeof error === 'object' && error !== null ? objectOf(error) : holder
  const message = stringOf(details.message) ?? stringOf(error) ?? ''
  return {
    errorType: errorTypeOfCode(details.code, details.type, details.status),
    message: shortened(message),
  }
}

/** At most 2 KiB of UTF-8, whole characters only. */
function shortened(text: string): string {
  const bytes = Buffer.from(text)
  if (bytes.length <= limit) return text
  let end = limit
  // A byte of the form 10xxxxxx continues a character.
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end--
  return bytes.toString('utf8', 0, end)
}

const limit = 2048
