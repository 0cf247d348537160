import { identifyClient } from './client.ts'
import { formats } from './formats/formats.ts'
import { isObject, parseJson } from './json.ts'
import type { RequestRead, RequestToRead } from './off-thread.ts'
import { requestAttributes } from './tracing/request-attributes.ts'

/** What a request says and who sent it; null where the body is not a JSON object. */
export function readRequest({ format, bytes, headers, rules, traced }: RequestToRead): RequestRead {
  const body = parseJson(bytesOf(bytes).toString('utf8'))
  if (!isObject(body)) return null
  return {
    summary: formats[format].readRequest(body),
    client: identifyClient({ headers, body }, rules),
    ...(traced && { traced: requestAttributes(format, body, traced) }),
  }
}

/** What came from another thread is a plain array of bytes. */
function bytesOf(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
}
