import { clientHints } from './client-hints.ts'
import type { Config } from './config.ts'
import { escaped } from './escaped.ts'

/** The plain page at `/`: the URLs, and how to point a client at them. Nothing is loaded from elsewhere. */
export function homePage(
  url: string,
  { providers, auth }: Pick<Config, 'providers' | 'auth'>,
): string {
  const hints = clientHints(url, providers, auth).map(
    ({ client, where, lines }) =>
      `<h3>${escaped(client)} <small>${escaped(where)}</small></h3><pre>${escaped(lines.join('\n'))}</pre>`,
  )
  const rows = providers.map(
    ({ name, type }) => `<li><code>${escaped(`${url}/${name}`)}</code> (${type})</li>`,
  )
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Sluice</title>
<style>
body { font: 16px/1.5 system-ui, sans-serif; max-width: 46rem; margin: 3rem auto; padding: 0 1rem }
pre { background: #8882; padding: .7rem 1rem; overflow-x: auto }
small { font-weight: normal; opacity: .7 }
:root { color-scheme: light dark }
</style>
<h1>Sluice</h1>
<p>Every stream passes untouched; what it was is kept.</p>
<h2>Providers</h2>
<ul>${rows.join('')}</ul>
<h2>Point a client at it</h2>
${hints.join('\n')}
<h2>What is recorded</h2>
<ul>
<li><a href="/api/v2/aibridge/interceptions">/api/v2/aibridge/interceptions</a></li>
<li><a href="/api/docs">The API</a></li>
<li><a href="/metrics">/metrics</a>, <a href="/healthz">/healthz</a>, <a href="/readyz">/readyz</a></li>
</ul>
</html>
`
}
