import { arrayOf, type JsonObject, stringOf } from '../core/json.ts'
import type { Ids } from './answer.ts'
import type { Vendor } from './vendor-error.ts'

/** What the simulated provider answers beside the model's own routes; undefined: no such route. */
export function sideRoute(
  method: string,
  path: string,
  { vendor, body, ids }: { vendor: Vendor; body: JsonObject; ids: Ids },
): JsonObject | undefined {
  const tokens = Math.ceil(JSON.stringify(body).length / 4)
  if (method === 'POST') {
    if (path.endsWith('/messages/count_tokens')) return { input_tokens: tokens }
    if (path.endsWith('/responses/input_tokens')) {
      return { object: 'response.input_tokens', input_tokens: tokens }
    }
    if (path.endsWith('/embeddings')) return embeddings(body, tokens)
    if (/\/event_logging(\/|$)/.test(path)) return {}
  }
  const [, kind, id] = /\/(models|responses|conversations)(?:\/([^/]+))?$/.exec(path) ?? []
  if (kind === 'models' && method === 'GET') return id ? model(vendor, id) : models(vendor)
  if (kind === 'responses' && id) return { id, object: 'response', ...resource(method, 'output') }
  if (kind === 'conversations') {
    return { id: id ?? ids('conv_'), object: 'conversation', ...resource(method, 'metadata') }
  }
  return undefined
}

const MODELS: Readonly<Record<Vendor, readonly string[]>> = {
  anthropic: ['claude-opus-4-5', 'claude-sonnet-4-5', 'claude-haiku-4-5'],
  openai: ['gpt-5.4', 'gpt-5.4-mini', 'text-embedding-3-small'],
}

function models(vendor: Vendor): JsonObject {
  const data = MODELS[vendor].map((id) => model(vendor, id))
  if (vendor === 'openai') return { object: 'list', data }
  return { data, has_more: false, first_id: MODELS.anthropic[0], last_id: MODELS.anthropic.at(-1) }
}

function model(vendor: Vendor, id: string): JsonObject {
  if (vendor === 'openai')
    return { id, object: 'model', created: 1_767_225_600, owned_by: 'simulator' }
  return { type: 'model', id, display_name: id, created_at: '2026-01-01T00:00:00Z' }
}

function resource(method: string, member: 'output' | 'metadata'): JsonObject {
  if (method === 'DELETE') return { deleted: true }
  return member === 'output' ? { status: 'completed', output: [] } : { metadata: {} }
}

/** Eight numbers per text, made of its length: enough to tell texts apart. */
function embeddings(body: JsonObject, tokens: number): JsonObject {
  const inputs = typeof body.input === 'string' ? [body.input] : arrayOf(body.input)
  const data = inputs.map((input, index) => {
    const { length } = String(input)
    const vector = Float32Array.from({ length: 8 }, (_, at) => Math.sin(length + at))
    const encoded = Buffer.from(vector.buffer).toString('base64')
    const embedding = body.encoding_format === 'base64' ? encoded : [...vector]
    return { object: 'embedding', index, embedding }
  })
  const usage = { prompt_tokens: tokens, total_tokens: tokens }
  return { object: 'list', data, model: stringOf(body.model) ?? '', usage }
}
