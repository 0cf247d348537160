import got, { HTTPError } from 'got'
import { messageOf, SluiceError } from '../core/errors.ts'
import { isObject, parseJson } from '../core/json.ts'
import type { AccountShape } from '../server/account-shapes.ts'
import type { AccountAdmin } from './account-admin.ts'
import { connectionHint } from './connection-hint.ts'

/** Users and tokens of a running gateway. `SLUICE_TOKEN` is the token of an owner. */
export function accountApi(url: string, token: string | undefined): AccountAdmin {
  const base = `${url.replace(/\/+$/, '')}/api/v2`

  async function call(method: 'GET' | 'POST' | 'PUT' | 'DELETE', path: string, json?: object) {
    try {
      const reply = await got(`${base}${path}`, {
        method,
        ...(json && { json }),
        headers: token === undefined ? {} : { 'x-sluice-token': token },
        timeout: { request: 30_000 },
        retry: { limit: 0 },
      })
      const body = parseJson(reply.body)
      if (reply.statusCode === 204 || isObject(body)) return isObject(body) ? body : {}
    } catch (error) {
      throw new SluiceError(`${url} did not do it: ${reasonOf(error, token)}`, {
        code: 'ERR_API',
        cause: error,
      })
    }
    throw new SluiceError(`${url} is no Sluice gateway`, { code: 'ERR_API' })
  }

  const one = async (...args: Parameters<typeof call>) => (await call(...args)) as AccountShape
  const path = (username: string) => `/users/${encodeURIComponent(username)}`
  return {
    users: async () => (await call('GET', '/users')).users as AccountShape[],
    addUser: (username, role) => one('POST', '/users', { username, role }),
    setRole: (username, role) => one('PUT', path(username), { role }),
    removeUser: async (username) => void (await call('DELETE', path(username))),
    tokens: async (username) => {
      const list = username === undefined ? '/tokens' : `${path(username)}/tokens`
      return (await call('GET', list)).tokens as AccountShape[]
    },
    createToken: ({ username, name, expiresIn }) =>
      one('POST', `${path(username)}/tokens`, {
        name,
        ...(expiresIn !== undefined && { expires_in: Math.max(1, Math.round(expiresIn / 1000)) }),
      }),
    revokeToken: async (id) => void (await call('DELETE', `/tokens/${encodeURIComponent(id)}`)),
    close: async () => {},
  }
}

/** What the gateway said, if it said something. */
function reasonOf(error: unknown, token: string | undefined): string {
  if (!(error instanceof HTTPError)) return `${messageOf(error)}${connectionHint(error)}`
  const body = parseJson(String(error.response.body))
  const { statusCode } = error.response
  const hint = statusCode === 401 && token === undefined ? ' Set SLUICE_TOKEN.' : ''
  if (!isObject(body) || typeof body.message !== 'string') return `${messageOf(error)}${hint}`
  const validations = Array.isArray(body.validations) ? body.validations.filter(isObject) : []
  const details = validations.map(({ field, detail }) => ` ${field} ${detail}.`).join('')
  return `${statusCode} ${body.message}${details}${hint}`
}
