import { messageOf } from '../core/errors.ts'
import { headerValue } from '../core/headers.ts'
import { type Provider, upstreamUrl } from '../core/provider.ts'
import { createTransport } from '../core/transports/create-transport.ts'
import type { Transport } from '../core/upstream.ts'
import type { Config } from '../server/config.ts'
import { listen } from '../server/listen.ts'
import { error, type Finding, ok, warning } from './finding.ts'

const patience = 10_000

/** Whether each provider answers at all, by the way that requests take; no key is sent. */
export async function providerFindings(config: Config): Promise<Finding[]> {
  const { transport: choice, upstreamHttp2: http2, proxy, providers } = config
  const transport = createTransport(choice, { http2, proxy })
  try {
    const asked = await Promise.all(providers.map((provider) => ask(provider, transport)))
    const [skew] = asked.flatMap(({ skew }) => skew ?? [])
    const clock = skew === undefined ? [] : [clockFinding(skew)]
    return [...asked.map(({ finding }) => finding), ...clock]
  } finally {
    await transport.close()
  }
}

interface Asked {
  readonly finding: Finding
  /** How far our clock is ahead of the provider's, in ms. */
  readonly skew?: number
}

async function ask(provider: Provider, { send }: Transport): Promise<Asked> {
  const { name, baseUrl } = provider
  const where = `${name} at ${baseUrl.origin}${baseUrl.pathname}`
  const url = upstreamUrl(provider, '/models', '')
  const signal = AbortSignal.timeout(patience)
  try {
    const headers = ['accept', 'application/json', 'user-agent', 'sluice']
    const {
      status,
      headers: said,
      body,
    } = await send({ method: 'GET', url, headers, body: null, signal })
    body.on('error', () => {}).destroy()
    const date = Date.parse(headerValue(said, 'date') ?? '')
    return {
      finding: statusFinding(where, status),
      ...(!Number.isNaN(date) && { skew: Date.now() - date }),
    }
  } catch (cause) {
    const reason = signal.aborted ? `no answer within ${patience / 1000} s` : messageOf(cause)
    const mend = 'check the base URL, the network, and HTTPS_PROXY where a proxy leads out'
    return { finding: error('provider', `${where}: ${reason}`, mend) }
  }
}

/** Without a key a 401 or 403 is what is to be expected. */
function statusFinding(where: string, status: number): Finding {
  if (status >= 500)
    return warning('provider', `${where} answers ${status}`, 'see the provider’s status page')
  if (status === 404 || (status >= 300 && status < 400))
    return warning(
      'provider',
      `${where} answers ${status} for its models`,
      'some have no such list; else mend the path of the base URL',
    )
  return ok('provider', `${where} answers (${status}, asked without a key)`)
}

function clockFinding(skew: number): Finding {
  // The header has whole seconds, and the answer took its time.
  const seconds = Math.round(Math.abs(skew) / 1000)
  if (seconds <= 30) return ok('clock', 'is right, by a provider’s')
  const told = `is ${seconds} s ${skew > 0 ? 'ahead of' : 'behind'} a provider’s`
  const mend = 'set it by NTP (timedatectl set-ntp true): times of records and tokens rest on it'
  return seconds > 300 ? error('clock', told, mend) : warning('clock', told, mend)
}

/** Whether the port is free, or a gateway of ours has it. */
export async function portFindings({ host, port, tls }: Config): Promise<Finding[]> {
  if (port === 0) return [ok('port', 'any free one')]
  try {
    const { server } = await listen({ host, port, onRequest: () => {}, onUpgrade: () => false })
    server.close()
    return [ok('port', `${port} on ${host} is free`)]
  } catch (cause) {
    const name = host.includes(':') ? `[${host}]` : host
    const url = `${tls ? 'https' : 'http'}://${name}:${port}`
    if (await isGateway(url)) return [ok('port', `a gateway runs at ${url}`)]
    return [error('port', messageOf(cause), 'choose another one with --port, or stop what has it')]
  }
}

async function isGateway(url: string): Promise<boolean> {
  try {
    const reply = await fetch(`${url}/healthz`, { signal: AbortSignal.timeout(3000) })
    const body = (await reply.json()) as { readonly status?: unknown }
    return reply.ok && body.status === 'ok'
  } catch {
    return false
  }
}
