import { messageOf } from '../errors.ts'
import { arrayOf, type JsonObject, objectOf } from '../json.ts'
import { withoutNamedSecrets } from '../secrets.ts'
import type { RawHeaders } from '../upstream.ts'

/** The error without the credentials that we sent: servers repeat those that they do not take, and errors are kept. */
export function errorWithoutSecrets(error: unknown, sent: RawHeaders): unknown {
  const message = messageOf(error)
  const masked = withoutNamedSecrets(message, sent)
  if (masked === message) return error
  const code = error instanceof Error && 'code' in error ? { code: error.code } : {}
  return Object.assign(new Error(masked), code)
}

/** The same for a result that says that it is an error. */
export function resultWithoutSecrets(result: JsonObject, sent: RawHeaders): JsonObject {
  if (result.isError !== true) return result
  const content = arrayOf(result.content).map((part) => {
    const { text, ...rest } = objectOf(part)
    return typeof text === 'string' ? { ...rest, text: withoutNamedSecrets(text, sent) } : part
  })
  return { ...result, content }
}

/** What a connection sends of names and values that may be credentials. */
export function namedValues(
  ...records: readonly Readonly<Record<string, string>>[]
): readonly string[] {
  return records.flatMap((record) => Object.entries(record).flat())
}
