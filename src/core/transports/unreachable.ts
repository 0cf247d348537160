import { messageOf, SluiceError } from '../errors.ts'

/** The fault of an upstream that gave no response headers; names its host, never its path or a credential. */
export function unreachable(url: URL, cause: unknown, proxy?: URL): SluiceError {
  const port = url.port || (url.protocol === 'https:' ? '443' : '80')
  const code = codeOf(cause)
  const [reason, wayOut] = explain(code)
  const through = proxy ? ` through the proxy ${proxy.host}` : ''
  return new SluiceError(
    `upstream ${url.hostname}:${port} is unreachable${through}: ${reason ?? messageOf(cause)}${code ? ` (${code})` : ''}; ${wayOut}${proxy ? ', and HTTP_PROXY, HTTPS_PROXY, NO_PROXY' : ''}`,
    { code: 'ERR_UPSTREAM_UNREACHABLE', status: 502, cause },
  )
}

/** The innermost code: clients wrap Node's errors, and Node those of several addresses. */
function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return ''
  const inner = error instanceof AggregateError ? error.errors[0] : error.cause
  const code = 'code' in error && typeof error.code === 'string' ? error.code : ''
  return codeOf(inner) || code
}

function explain(code: string): readonly [reason: string | undefined, wayOut: string] {
  if (code === 'ECONNREFUSED')
    return ['connection refused', 'check the base URL and that the upstream runs']
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN')
    return ['host name not found', 'check the base URL and the name server']
  if (/^(ETIMEDOUT|UND_ERR_CONNECT_TIMEOUT|EHOSTUNREACH|ENETUNREACH)$/.test(code))
    return ['no connection', 'check the network, or set HTTP_PROXY/HTTPS_PROXY if there is a proxy']
  if (/^(ECONNRESET|EPIPE|UND_ERR_SOCKET)$/.test(code))
    return ['it closed the connection before it answered', 'try again']
  if (/CERT|TLS|SSL|SIGNATURE|ERR_OSSL/.test(code))
    return ['TLS failed', 'check the base URL, or name the CA in NODE_EXTRA_CA_CERTS']
  if (/^(HPE_|UND_ERR_HEADERS_OVERFLOW)/.test(code))
    return ['its answer is no valid HTTP/1.1', 'check that the base URL is an HTTP API']
  return [undefined, 'check the base URL and the network']
}

/** Whatever a signal was aborted with, as the error that a stream can be destroyed with. */
export function errorOf(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(messageOf(reason))
}
