import { createHash } from 'node:crypto'
import { isObject, type JsonObject, objectOf } from '../core/json.ts'
import type { Ids } from './answer.ts'
import { anthropicMessages } from './anthropic-messages.ts'
import { compressed, rechunked } from './body-chunks.ts'
import type { Outgoing } from './deliver.ts'
import { eventBytes } from './event-bytes.ts'
import { openaiChat } from './openai-chat.ts'
import { openaiResponses } from './openai-responses.ts'
import { answerTo } from './plan.ts'
import type { ReceivedRequest, Reply } from './reply.ts'
import { sideRoute } from './side-routes.ts'
import { errorBody, type Vendor, vendorError } from './vendor-error.ts'
import { vendorHeaders } from './vendor-headers.ts'
import type { WireFormat } from './wire-format.ts'

/** The reply's status, headers and body bytes; `salt` makes the ids of equal requests differ. */
export function composed(request: ReceivedRequest, reply: Reply, salt: string): Outgoing {
  const path = request.url.replace(/\?.*/, '')
  const format = FORMATS.find(([suffix]) => path.endsWith(suffix))?.[1]
  const vendor = vendorOf(request, path)
  const ids = idsFrom(salt, request)
  const requestId = ids(vendor === 'anthropic' ? 'req_' : 'req-')
  const headers = vendorHeaders(vendor, requestId)
  const body = objectOf(request.json)
  const stream = format !== undefined && body.stream === true

  if (reply.raw !== undefined) return verbatim(reply, reply.raw, stream)
  const refuse = (status: number, message?: string) => {
    const retry = [429, 503, 529].includes(status) && { 'retry-after': '1' }
    const error = vendorError(vendor, status, requestId, message)
    return json(status, { ...headers, ...retry }, errorBody(vendor, error), reply)
  }
  if (reply.status !== undefined && reply.status >= 400) return refuse(reply.status)
  if (!format) {
    const found = sideRoute(request.method, path, { vendor, body, ids })
    return found ? json(200, headers, found, reply) : refuse(404)
  }
  if (request.method !== 'POST') return refuse(405, `${path} takes POST only.`)
  if (!isObject(request.json)) return refuse(400, 'The body is not a JSON object.')
  if (typeof body.model !== 'string') return refuse(400, 'model: Field required')

  const question = format.question(body)
  const answer = answerTo(question, { fill: reply.fill, ...reply.answer })
  const created = salt === '' ? 1_767_225_600 : Math.floor(Date.now() / 1000)
  if (!stream) return json(200, headers, format.body(answer, question, ids, created), reply)
  const events = format.events(answer, question, ids, created)
  const fault = vendorError(vendor, vendor === 'anthropic' ? 529 : 500, requestId)
  const chunks = eventBytes(events, reply, (sent) => format.errorEvents(fault, sent))
  return packed(
    200,
    { 'content-type': EVENT_STREAM, 'cache-control': 'no-cache', ...headers },
    chunks,
    {
      reply,
      whole: false,
    },
  )
}

const EVENT_STREAM = 'text/event-stream; charset=utf-8'
const FORMATS: readonly (readonly [suffix: string, format: WireFormat])[] = [
  ['/messages', anthropicMessages],
  ['/chat/completions', openaiChat],
  ['/responses', openaiResponses],
]

function vendorOf({ headers }: ReceivedRequest, path: string): Vendor {
  if (/\/(chat\/completions|responses|embeddings|conversations)(\/|$)/.test(path)) return 'openai'
  const marked = 'anthropic-version' in headers || 'x-api-key' in headers
  return marked || /\/(messages|event_logging)(\/|$)/.test(path) ? 'anthropic' : 'openai'
}

function idsFrom(salt: string, { body, json }: ReceivedRequest): Ids {
  // A gateway may ask for usage on its client's behalf; that must not change the rest of the answer.
  const same = isObject(json) ? JSON.stringify({ ...json, stream_options: undefined }) : body
  const seed = createHash('sha256').update(salt).update(same).digest('hex')
  let count = 0
  return (prefix) => {
    const digest = createHash('sha256').update(`${seed}${count++}`).digest('hex')
    return `${prefix}${digest.slice(0, 24)}`
  }
}

function json(
  status: number,
  headers: Record<string, string>,
  body: JsonObject,
  reply: Reply,
): Outgoing {
  const text = JSON.stringify(body)
  const bytes = Buffer.from(reply.badJson === undefined ? text : text.slice(0, text.length / 2))
  // A body that is to stop after some writes needs a few more than one.
  const writes = Math.max(Number(reply.cut ?? 0), Number(reply.stall ?? 0))
  const split = writes > 0 && { split: Math.ceil(bytes.length / (writes + 1)) }
  return packed(status, { 'content-type': 'application/json', ...headers }, [bytes], {
    reply: { ...split, ...reply },
    whole: true,
  })
}

function packed(
  status: number,
  vendorHeaders: Record<string, string>,
  chunks: Iterable<Uint8Array>,
  { reply, whole }: { reply: Reply; whole: boolean },
): Outgoing {
  const { encode, length, close, burst = false } = reply
  const headers: Record<string, string> = {
    ...vendorHeaders,
    ...(encode && { 'content-encoding': encode }),
  }
  let body: Outgoing['body'] = rechunked(chunks, reply)
  if (encode) body = compressed(body, encode)
  else if (!close && (whole || length !== undefined)) {
    const parts = [...body]
    const total = parts.reduce((sum, { byteLength }) => sum + byteLength, length ?? 0)
    body = parts
    headers['content-length'] = String(total)
  }
  return {
    status,
    statusText: reply.statusText,
    headers: headerList(headers, reply.headers),
    body,
    together: whole || burst,
  }
}

function verbatim(reply: Reply, raw: NonNullable<Reply['raw']>, stream: boolean): Outgoing {
  const single = typeof raw === 'string' || raw instanceof Uint8Array
  const type = stream ? EVENT_STREAM : 'application/json'
  const chunks = single ? rechunked([Buffer.from(raw)], reply) : buffers(raw)
  const length = single && !stream && !reply.close && !reply.encode
  const said = length && {
    'content-length': String(Buffer.byteLength(raw) + (reply.length ?? 0)),
  }
  const encoding = reply.encode && { 'content-encoding': reply.encode }
  return {
    status: reply.status ?? 200,
    statusText: reply.statusText,
    headers: headerList({ 'content-type': type, ...said, ...encoding }, reply.headers),
    body: reply.encode ? compressed(chunks, reply.encode) : chunks,
    together: single,
  }
}

/** What an author gave as bytes or texts, one or many, as bytes. */
export async function* buffers(raw: NonNullable<Reply['raw']>): AsyncIterable<Uint8Array> {
  const items = typeof raw === 'string' || raw instanceof Uint8Array ? [raw] : raw
  for await (const item of items) yield typeof item === 'string' ? Buffer.from(item) : item
}

function headerList(own: Record<string, string>, given: Reply['headers'] = {}): string[] {
  if (Array.isArray(given)) return [...given]
  return Object.entries({ ...own, ...given }).flatMap(([name, value]) =>
    [value].flat().flatMap((each) => [name, each]),
  )
}
