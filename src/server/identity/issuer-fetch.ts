import type { Send } from '../../core/upstream.ts'

/** A `fetch` of small documents, which follows no redirect. */
export type IssuerFetch = (
  url: string,
  options: { readonly headers?: Headers; readonly signal: AbortSignal },
) => Promise<Response>

/** No key set is larger. */
const mostBytes = 1024 ** 2

/** Reaches an issuer by the way that requests take to providers, through the same proxies: Node's `fetch` knows none. */
export function issuerFetch(send: Send): IssuerFetch {
  return async (url, { headers = new Headers(), signal }) => {
    const reply = await send({
      method: 'GET',
      url: new URL(url),
      headers: [...headers, ['user-agent', 'sluice']].flat(),
      body: null,
      signal,
    })
    const chunks: Buffer[] = []
    let length = 0
    for await (const chunk of reply.body) {
      length += chunk.length
      if (length > mostBytes) throw new Error(`${url} answers with more than ${mostBytes} bytes`)
      chunks.push(chunk)
    }
    const isEmpty = [204, 205, 304].includes(reply.status)
    return new Response(isEmpty ? null : Buffer.concat(chunks), { status: reply.status })
  }
}
