import assert from 'node:assert/strict'
import { EventEmitter, once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Ajv2020 } from 'ajv/dist/2020.js'
import Koa from 'koa'
import type { GatewayChanges } from '../../src/core/gateway-options.ts'
import { anthropic } from '../../src/core/providers/anthropic.ts'
import { openai } from '../../src/core/providers/openai.ts'
import type { Store } from '../../src/core/store.ts'
import { memoryRecorder } from '../../src/plugins/memory-recorder.ts'
import { createGateway } from '../../src/server/api/gateway.ts'
import { openApi } from '../../src/server/api/open-api.ts'
import { type Plan, told } from './stored-records.ts'

export interface ApiReply {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  // biome-ignore lint/suspicious/noExplicitAny: whatever came.
  readonly json: any
}

export interface TestApi {
  readonly url: string
  readonly store: Store
  readonly log: string[]
  /** Resolves with the first line of the log that matches, from the start on. */
  line(pattern: RegExp): Promise<string>
  put(...plans: Plan[]): Promise<void>
  /** An answer, which must be as the API's description says. */
  get(path: string, who?: string): Promise<ApiReply>
  close(): Promise<void>
}

const prefix = '/api/v2/aibridge'

/** Their ids are `u-` and the name. `bob` and `dan` are members. */
const roles: Readonly<Record<string, string>> = { ann: 'owner', eve: 'auditor' }

/** The API of a gateway, mounted in a Koa app, over a store with what these plans tell. */
export async function startApi(
  plans: readonly Plan[] = [],
  store: Store = memoryRecorder(),
  { clientIdleTimeout }: Pick<GatewayChanges, 'clientIdleTimeout'> = {},
): Promise<TestApi> {
  const log: string[] = []
  const logged = new EventEmitter()
  const gateway = createGateway({
    providers: [anthropic(), openai()],
    plugins: [store],
    initiator: () => null,
    ...(clientIdleTimeout !== undefined && { clientIdleTimeout }),
    log: (level, message) => {
      log.push(`${level} ${message}`)
      logged.emit('line')
    },
  })
  const authorize = (ctx: Koa.Context) => {
    const name = ctx.get('x-user')
    return name && { id: `u-${name}`, username: name, role: roles[name] }
  }
  const app = new Koa().use(gateway.api({ prefix, authorize }))
  app.on('error', (error) => log.push(`error ${error.message}`))
  const server = createServer(app.callback()).listen(0, '127.0.0.1')
  await once(server, 'listening')
  await gateway.open()
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}${prefix}`
  const put = async (...each: Plan[]) => store.record(each.flatMap(told))
  await put(...plans)
  return {
    url,
    store,
    log,
    line: async (pattern) => {
      for (;;) {
        const found = log.find((line) => pattern.test(line))
        if (found !== undefined) return found
        await once(logged, 'line')
      }
    },
    put,
    async get(path, who = 'ann') {
      const reply = await fetch(`${url}/${path}`, { headers: who ? { 'x-user': who } : {} })
      const text = await reply.text()
      const { status, headers } = reply
      const json = headers.get('content-type')?.startsWith('application/json')
        ? JSON.parse(text)
        : undefined
      if (json !== undefined) assertDescribed(path, status, json)
      return { status, headers, text, json }
    },
    close: async () => {
      await gateway.close()
      server.closeAllConnections()
      server.close()
    },
  }
}

/** Who it is of, by name. */
export function by(name: string): Plan['start'] & object {
  return { initiatorId: `u-${name}`, initiatorUsername: name }
}

const document = openApi({ prefix }) as {
  readonly paths: Readonly<Record<string, { readonly get: { readonly responses: object } }>>
}
const ajv = new Ajv2020({ strict: false, validateFormats: false, allErrors: true })
ajv.addSchema(document, 'api')

/** Holds an answer against the description: its status, and all that is in it. */
function assertDescribed(path: string, status: number, json: unknown): void {
  const [plain = ''] = path.split('?')
  const [list = '', id] = plain.split('/')
  const template = Object.keys(document.paths).find((each) =>
    id === undefined
      ? each === `${prefix}/${list}`
      : new RegExp(`^${prefix}/${list}/\\{\\w+\\}$`).test(each),
  )
  if (template === undefined) return
  const responses = Object.keys(document.paths[template]?.get.responses ?? {})
  assert.ok(responses.includes(String(status)), `${path}: ${status} is not described`)
  const pointer = ['paths', template, 'get', 'responses', status, 'content', 'application/json']
  const escaped = pointer.map((each) =>
    encodeURIComponent(String(each).replaceAll('~', '~0').replaceAll('/', '~1')),
  )
  const validate = ajv.getSchema(`api#/${escaped.join('/')}/schema`)
  assert.ok(validate, `${path}: ${status} has no schema`)
  validate(json)
  assert.deepEqual(validate.errors ?? [], [], path)
}
