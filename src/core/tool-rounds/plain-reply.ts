import { pipeline } from 'node:stream'
import { decoderOf } from '../decoding-reader.ts'
import { filterHeaders, headerValue } from '../headers.ts'
import type { Reply } from '../upstream.ts'

/** The reply uncompressed: some upstreams compress though they were asked not to, and calls of ours would slip by. */
export function plainReply(reply: Reply): Reply {
  const decoder = decoderOf(headerValue(reply.headers, 'content-encoding') ?? '')
  if (!decoder) return reply
  const headers = filterHeaders(
    reply.headers,
    (name) => name !== 'content-encoding' && name !== 'content-length',
  )
  // Whoever reads the one end hears what befalls the other.
  pipeline(reply.body, decoder, () => {})
  return { ...reply, headers, body: decoder }
}
