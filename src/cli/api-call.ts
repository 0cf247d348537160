import type { Readable } from 'node:stream'
import got, { HTTPError, type Response } from 'got'
import { messageOf, SluiceError } from '../core/errors.ts'
import { isObject, parseJson } from '../core/json.ts'
import { connectionHint } from './connection-hint.ts'

export type ApiParameters = Readonly<Record<string, string | number | undefined>>

/** GETs of a running gateway's API. A redirect is not followed: the token is for this gateway alone. */
export class ApiCalls {
  readonly url: string
  readonly #token: string | undefined

  constructor(url: string, token: string | undefined) {
    this.url = url
    this.#token = token
  }

  /** The answer, which is JSON; null for 404. */
  async read(
    path: string,
    parameters: ApiParameters = {},
  ): Promise<Record<string, unknown> | null> {
    let body: unknown
    try {
      const reply = await got(this.#address(path), {
        ...this.#options(parameters),
        timeout: { request: 60_000 },
        retry: { limit: 1 },
      })
      body = parseJson(reply.body)
    } catch (error) {
      if (isNotFound(error)) return null
      throw this.#fault(error, error instanceof HTTPError ? String(error.response.body) : '')
    }
    if (isObject(body)) return body
    throw new SluiceError(`${this.url} is no Sluice gateway`, { code: 'ERR_API' })
  }

  /** The answer as it comes. Rejects where it is no 200. */
  async stream(
    path: string,
    parameters: ApiParameters,
    { headers = {}, signal }: { headers?: Record<string, string>; signal?: AbortSignal } = {},
  ): Promise<Readable> {
    const { headers: own, ...options } = this.#options(parameters)
    const stream = got.stream(this.#address(path), {
      ...options,
      headers: { ...own, ...headers },
      throwHttpErrors: false,
      timeout: { connect: 10_000, response: 60_000 },
      retry: { limit: 0 },
      ...(signal && { signal }),
    })
    const reply = await new Promise<Response>((resolve, reject) => {
      stream.once('response', resolve)
      stream.once('error', (error) => reject(this.#fault(error, '')))
    })
    if (reply.statusCode === 200) return stream
    const text = (await stream.toArray()).join('').slice(0, 10_000)
    throw this.#fault(new Error(`Response code ${reply.statusCode}`), text, reply.statusCode)
  }

  #address(path: string): string {
    return `${this.url.replace(/\/+$/, '')}/api/v2/aibridge${path}`
  }

  #options(parameters: ApiParameters) {
    return {
      searchParams: parameters,
      followRedirect: false,
      headers: this.#token === undefined ? {} : { 'x-sluice-token': this.#token },
    }
  }

  #fault(error: unknown, text: string, given?: number): SluiceError {
    const status = given ?? (error instanceof HTTPError ? error.response.statusCode : undefined)
    const reason = reasonOf(text) ?? `${firstLine(messageOf(error))}${connectionHint(error)}`
    const hint = status === 401 && this.#token === undefined ? ' Set SLUICE_TOKEN.' : ''
    const told = status === undefined ? reason : `${status} ${reason}`
    return new SluiceError(`${this.url} did not answer: ${told}${hint}`, {
      code: 'ERR_API',
      ...(status !== undefined && { status }),
      cause: error,
    })
  }
}

/** 404 of a thing that is not there; that of a page which no gateway has is a fault. */
function isNotFound(error: unknown): boolean {
  if (!(error instanceof HTTPError) || error.response.statusCode !== 404) return false
  return / not found\.$/.test(reasonOf(String(error.response.body)) ?? '')
}

/** OpenSSL's go over several. */
function firstLine(text: string): string {
  return text.split('\n')[0] ?? text
}

/** What the gateway said, if it said something. */
function reasonOf(text: string): string | undefined {
  const body = parseJson(text)
  if (!isObject(body) || typeof body.message !== 'string') return undefined
  const validations = Array.isArray(body.validations) ? body.validations.filter(isObject) : []
  const names = Array.isArray(body.initiators) ? body.initiators.filter(isObject) : []
  return [
    body.message,
    body.detail,
    ...validations.map(({ detail }) => `${detail}.`),
    ...(names.length > 0 ? [`(${names.map(({ username }) => username).join(', ')})`] : []),
  ]
    .filter(Boolean)
    .join(' ')
}
