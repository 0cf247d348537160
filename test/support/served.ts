import { mkdtempSync, writeFileSync } from 'node:fs'
import { type IncomingHttpHeaders, type OutgoingHttpHeaders, request } from 'node:http'
import { request as secureRequest } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readConfig } from '../../src/server/config.ts'
import type { Role } from '../../src/server/identity/caller.ts'
import { type Running, serve } from '../../src/server/serve.ts'
import { type FakeUpstream, fakeUpstream } from '../../src/simulator/server.ts'
import { testCertificate } from './test-certificate.ts'

export interface Reply {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
  // biome-ignore lint/suspicious/noExplicitAny: whatever came.
  readonly json: any
}

export interface Served {
  readonly running: Running
  readonly url: string
  readonly upstream: FakeUpstream
  /** All that was logged, as text. */
  readonly log: string[]
  /** A user with a token. */
  user(username: string, role: Role): Promise<string>
  send(path: string, options?: SendOptions): Promise<Reply>
  close(): Promise<void>
}

export interface SendOptions {
  readonly method?: string
  readonly headers?: OutgoingHttpHeaders | readonly string[]
  readonly body?: unknown
}

/** `sluice serve` in this process, with these flags, before a simulated provider. */
export async function served(
  flags: Readonly<Record<string, unknown>> = {},
  file: object = {},
): Promise<Served> {
  const upstream = await fakeUpstream()
  const folder = mkdtempSync(join(tmpdir(), 'sluice-served-'))
  writeFileSync(join(folder, 'sluice.config.json'), JSON.stringify(file))
  const config = readConfig({
    env: {},
    folder,
    flags: {
      port: 0,
      store: `sqlite:${join(folder, 'sluice.db')}`,
      anthropicBaseUrl: upstream.url,
      openaiBaseUrl: upstream.url,
      anthropicKey: 'sk-configured-anthropic',
      openaiKey: 'sk-configured-openai',
      ...flags,
    },
  })
  const log: string[] = []
  const running = await serve(config, {
    log: (level, message, fields) =>
      log.push(`${level} ${message} ${JSON.stringify(fields ?? {})}`),
  })
  return {
    running,
    url: running.url,
    upstream,
    log,
    user: async (username, role) => {
      await running.accounts.addUser(username, role)
      return (await running.accounts.createToken({ username })).token
    },
    send: (path, options) => send(`${running.url}${path}`, options),
    close: async () => {
      await running.stop()
      await upstream.close()
    },
  }
}

/** One request over a socket of its own, with any header. */
function send(url: string, { method, headers = {}, body }: SendOptions = {}): Promise<Reply> {
  const sent = body === undefined ? undefined : Buffer.from(JSON.stringify(body))
  return new Promise((resolve, reject) => {
    const options = {
      method: method ?? (sent ? 'POST' : 'GET'),
      // Beside a list of headers Node adds none of its own.
      headers: (Array.isArray(headers)
        ? [...headers, 'Host', new URL(url).host, 'Content-Length', `${sent?.length ?? 0}`]
        : headers) as OutgoingHttpHeaders,
      agent: false,
      ca: testCertificate.cert,
    } as const
    const call = (url.startsWith('https:') ? secureRequest : request)(url, options, (reply) => {
      let text = ''
      reply.on('data', (chunk) => {
        text += chunk
      })
      reply.on('error', reject)
      reply.on('end', () => {
        const { statusCode: status = 0, headers } = reply
        resolve({ status, headers, text, json: jsonOf(text) })
      })
    })
    call.on('error', reject)
    call.end(sent)
  })
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
