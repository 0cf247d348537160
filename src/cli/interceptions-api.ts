import got, { HTTPError } from 'got'
import { messageOf, SluiceError } from '../core/errors.ts'
import { isObject } from '../core/json.ts'

export interface ListQuery {
  readonly limit: number
  readonly initiator: string | undefined
  readonly annotations: Readonly<Record<string, string>>
}

/** The interceptions that a running gateway lists. */
export async function fromApi(
  url: string,
  token: string | undefined,
  { limit, initiator, annotations }: ListQuery,
): Promise<unknown> {
  try {
    const body = await got(`${url.replace(/\/+$/, '')}/api/v2/aibridge/interceptions`, {
      searchParams: { limit, ...(initiator !== undefined && { initiator }), ...annotations },
      headers: token === undefined ? {} : { 'x-sluice-token': token },
      timeout: { request: 30_000 },
      retry: { limit: 1 },
    }).json()
    if (isObject(body) && Array.isArray(body.results)) return body.results
  } catch (error) {
    throw new SluiceError(`${url} did not answer: ${reasonOf(error)}`, {
      code: 'ERR_API',
      cause: error,
    })
  }
  throw new SluiceError(`${url} is no Sluice gateway`, { code: 'ERR_API' })
}

/** What the gateway said, if it said something. */
function reasonOf(error: unknown): string {
  if (!(error instanceof HTTPError)) return messageOf(error)
  try {
    const body: unknown = JSON.parse(String(error.response.body))
    if (isObject(body) && typeof body.message === 'string')
      return `${error.response.statusCode} ${[body.message, body.detail].filter(Boolean).join(' ')}`
  } catch {
    // Not ours: the status says enough.
  }
  return messageOf(error)
}
