import type { Format } from './format.ts'
import { type Provider, withoutVersion } from './provider.ts'

/** What is to be done with a path; `path` is the clean one, without `/v1`, to be sent upstream. */
export type Route =
  | { readonly kind: 'intercepted'; readonly path: string; readonly format: Format }
  | {
      readonly kind: 'passthrough'
      readonly path: string
      /** Lives beside `/v1` upstream, not below it. */
      readonly root: boolean
      /** The route that matched, such as `/models/*`: a label with few values. */
      readonly label: string
    }

/**
 * The route of a path (below the provider's name, still percent-encoded, without its query), or null.
 * Only listed routes are passed on, since the configured key may open more than them.
 */
export function matchRoute(provider: Provider, rawPath: string): Route | null {
  // The few paths that nearly all requests have, as they are written nearly always.
  const plain = rawPath.startsWith('/v1/') ? rawPath.slice(3) : rawPath
  const known = Object.hasOwn(provider.intercepted, plain) && provider.intercepted[plain]
  if (known) return { kind: 'intercepted', path: plain, format: known }
  const clean = cleanPath(rawPath)
  if (clean === null) return null
  const path = withoutVersion(clean)
  const format = provider.intercepted[path]
  if (format) return { kind: 'intercepted', path, format }
  const below = bestMatch(provider.passthrough, path)
  if (below) return { kind: 'passthrough', path, root: false, label: below }
  const beside = bestMatch(provider.rootPassthrough, path)
  return beside ? { kind: 'passthrough', path, root: true, label: beside } : null
}

/**
 * One slash for several, none at the end, unreserved characters decoded (RFC 3986 §6.2.2.2): so that
 * `/responses/` and `/%72esponses` are what they are upstream. Null for what could climb out of a route.
 */
function cleanPath(rawPath: string): string | null {
  // URL setters drop tabs and line ends and take a backslash for a slash.
  if (!rawPath.startsWith('/') || /[\s\\\0?#]/.test(rawPath)) return null
  const path = rawPath
    .replace(/%[0-9a-f]{2}/gi, (code) => {
      const character = String.fromCharCode(Number.parseInt(code.slice(1), 16))
      return /[\w.~-]/.test(character) ? character : code
    })
    .replace(/\/{2,}/g, '/')
    .replace(/\/$/, '')
  return climbs(path) ? null : path
}

/** True where a server that decodes once, twice or thrice sees an empty or a dot segment. */
function climbs(path: string): boolean {
  let seen = path
  for (let level = 0; level < 4; level++) {
    if (/[/\\](?:\.{0,2}(?:;[^/\\]*)?)(?:[/\\]|$)/.test(seen)) return true
    seen = seen.replace(/%(?:2[ef5]|5c)/gi, (code) =>
      String.fromCharCode(Number.parseInt(code.slice(1), 16)),
    )
  }
  return false
}

function bestMatch(routes: readonly string[], path: string): string | undefined {
  if (path !== '' && routes.includes(path)) return path
  return routes.find((route) => route.endsWith('/*') && isWithin(path, route.slice(0, -2)))
}

function isWithin(path: string, folder: string): boolean {
  return path !== '' && (path === folder || path.startsWith(`${folder}/`))
}
