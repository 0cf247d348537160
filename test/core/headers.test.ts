import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { headerValue, headerValues, replyHeaders, upstreamHeaders } from '../../src/core/headers.ts'

test('finds values under any case of a name, in order', () => {
  const raw = ['Set-Cookie', 'a=1', 'X-Other', 'x', 'set-cookie', 'b=2']
  assert.deepEqual(headerValues(raw, 'SET-COOKIE'), ['a=1', 'b=2'])
  assert.equal(headerValue(raw, 'set-cookie'), 'a=1')
  assert.equal(headerValue(raw, 'cookie'), undefined)
})

test('an intercepted request keeps case, order and duplicates and asks for an uncompressed reply', () => {
  const raw = [
    ...['Host', 'gateway:4141', 'User-Agent', 'claude-cli/2', 'Connection', 'keep-alive, X-Hop'],
    ...['x-hop', '1', 'Accept-Encoding', 'gzip, br', 'anthropic-beta', 'a,b'],
    ...['Expect', '100-continue', 'Content-Length', '12', 'anthropic-beta', 'c', 'X-latin', 'é'],
    ...['TE', 'trailers', 'Keep-Alive', 'timeout=5', 'Transfer-Encoding', 'chunked'],
    ...[
      'Upgrade',
      'h2c',
      'Trailer',
      'x',
      'Proxy-Authorization',
      'Basic x',
      'Proxy-Connection',
      'y',
    ],
  ]
  assert.deepEqual(upstreamHeaders(raw, { intercepted: true }), [
    ...['User-Agent', 'claude-cli/2', 'anthropic-beta', 'a,b', 'anthropic-beta', 'c'],
    ...['X-latin', 'é', 'accept-encoding', 'identity'],
  ])
})

test('a passed-through request keeps its accept-encoding', () => {
  const raw = ['Accept-Encoding', 'zstd', 'Host', 'x']
  assert.deepEqual(upstreamHeaders(raw, { intercepted: false }), ['Accept-Encoding', 'zstd'])
})

test('content-encoding goes only where the body was decoded', () => {
  const raw = ['Content-Encoding', 'zstd', 'Content-Type', 'application/json']
  assert.deepEqual(upstreamHeaders(raw, { intercepted: false, decoded: true }), raw.slice(2))
  assert.deepEqual(upstreamHeaders(raw, { intercepted: false }), raw)
})

for (const name of [
  'Coder-Session-Token',
  'X-Sluice-Token',
  'x-sluice-user',
  'X-SLUICE-Repo',
  'X-Coder-AI-Governance-Token',
  'X-AI-Bridge-Actor-ID',
  'X-Ai-Bridge-Actor-Metadata-Email',
]) {
  test(`${name} never goes upstream`, () => {
    for (const intercepted of [true, false]) {
      const sent = upstreamHeaders([name, 'secret', 'X-Own', 'y'], { intercepted })
      assert.ok(!sent.includes('secret') && sent.includes('y'))
    }
  })
}

test('a reply loses only what belongs to the upstream connection', () => {
  const raw = [
    ...['Date', 'now', 'Connection', 'close, x-up', 'X-Up', '1', 'Content-Length', '3'],
    ...['set-cookie', 'a', 'request-id', 'r', 'Set-Cookie', 'b', 'Keep-Alive', 'x'],
    ...['Content-Encoding', 'gzip', 'retry-after', '3', 'Proxy-Authenticate', 'x', 'Trailer', 'y'],
  ]
  assert.deepEqual(replyHeaders(raw), [
    ...['Date', 'now', 'Content-Length', '3', 'set-cookie', 'a', 'request-id', 'r'],
    ...['Set-Cookie', 'b', 'Content-Encoding', 'gzip', 'retry-after', '3'],
  ])
})

test('a length beside a transfer-encoding does not reach the client', () => {
  const raw = ['Content-Length', '3', 'Transfer-Encoding', 'chunked', 'X', 'y']
  assert.deepEqual(replyHeaders(raw), ['X', 'y'])
})

const names = fc.constantFrom(
  ...['Host', 'connection', 'Connection', 'Content-Length', 'X-Custom', 'x-custom', 'TE', 'Expect'],
  ...['Accept-Encoding', 'X-Sluice-Token', 'Coder-Session-Token', 'Cookie', 'anthropic-beta'],
  ...['X-AI-Bridge-Actor-ID', 'Transfer-Encoding', 'Content-Encoding', 'Upgrade', 'User-Agent'],
)
const values = fc.constantFrom(
  '',
  'a',
  'x-custom, close',
  'keep-alive',
  'ANTHROPIC-BETA',
  'é',
  'gzip',
)
const rawHeaders = fc.array(fc.tuple(names, values), { maxLength: 20 }).map((pairs) => pairs.flat())

test('filtering only ever leaves headers out, in whole pairs and in order', () => {
  fc.assert(
    fc.property(rawHeaders, fc.boolean(), fc.boolean(), (raw, intercepted, decoded) => {
      const before = [...raw]
      const sent = upstreamHeaders(raw, { intercepted, decoded })
      const added = intercepted ? ['accept-encoding', 'identity'] : []
      assert.deepEqual(sent.slice(sent.length - added.length), added)
      assert.ok(isSubsequence(sent.slice(0, sent.length - added.length), raw))
      assert.ok(isSubsequence(replyHeaders(raw), raw))
      assert.deepEqual(raw, before)
    }),
  )
})

test('filtering leaks nothing of the connection, of the gateway or that Connection names', () => {
  fc.assert(
    fc.property(rawHeaders, (raw) => {
      const named = headerValues(raw, 'connection').flatMap((value) =>
        value.split(',').map((name) => name.trim().toLowerCase()),
      )
      for (const kept of [upstreamHeaders(raw, { intercepted: false }), replyHeaders(raw)]) {
        for (const [name] of pairsOf(kept)) {
          assert.ok(!named.includes(name.toLowerCase()), name)
          assert.doesNotMatch(name, /^(connection|te|transfer-encoding|upgrade)$/i)
        }
      }
      for (const [name] of pairsOf(upstreamHeaders(raw, { intercepted: false }))) {
        assert.doesNotMatch(name, /^(x-sluice-|coder-session|x-ai-bridge|host$|content-length$)/i)
      }
    }),
  )
})

test('what nobody asked to be dropped is kept', () => {
  fc.assert(
    fc.property(rawHeaders, (raw) => {
      const wanted = pairsOf(raw).filter(([name]) => /^(cookie|user-agent)$/i.test(name))
      const sent = pairsOf(upstreamHeaders(raw, { intercepted: true }))
      assert.deepEqual(
        sent.filter(([name]) => /^(cookie|user-agent)$/i.test(name)),
        wanted,
      )
    }),
  )
})

function pairsOf(raw: readonly string[]): [string, string][] {
  const pairs: [string, string][] = []
  for (let i = 0; i < raw.length; i += 2) pairs.push([raw[i] ?? '', raw[i + 1] ?? ''])
  return pairs
}

function isSubsequence(kept: readonly string[], raw: readonly string[]): boolean {
  const wanted = pairsOf(kept)
  let next = 0
  for (const [name, value] of pairsOf(raw)) {
    if (wanted[next]?.[0] === name && wanted[next]?.[1] === value) next++
  }
  return next === wanted.length
}
