import type { ProxySettings } from '../core/upstream.ts'

/** The proxy settings that curl and others share; the lower-case name wins, as there. */
export function readProxy(
  env: Readonly<Record<string, string | undefined>>,
  faults: string[],
): ProxySettings {
  const httpProxy = proxyUrl('http_proxy', env, faults)
  const httpsProxy = proxyUrl('https_proxy', env, faults)
  const noProxy = env.no_proxy || env.NO_PROXY
  return {
    ...(httpProxy && { httpProxy }),
    ...(httpsProxy && { httpsProxy }),
    ...(noProxy && { noProxy }),
  }
}

function proxyUrl(
  name: string,
  env: Readonly<Record<string, string | undefined>>,
  faults: string[],
): string | undefined {
  const place = env[name] ? name : name.toUpperCase()
  const text = env[place]
  if (!text) return undefined
  // "proxy:3128" is common, and would parse as a URL of the scheme "proxy".
  const url = URL.parse(text.includes('://') ? text : `http://${text}`)
  if (url && /^https?:$/.test(url.protocol)) return url.href
  faults.push(`${place}: must be an http:// or https:// URL`)
  return undefined
}
