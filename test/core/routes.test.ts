import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { upstreamUrl } from '../../src/core/provider.ts'
import { anthropic } from '../../src/core/providers/anthropic.ts'
import { openai } from '../../src/core/providers/openai.ts'
import { matchRoute } from '../../src/core/routes.ts'

const providers = {
  anthropic: anthropic({ passthrough: ['/v1/files/*'] }),
  openai: openai(),
}

const intercepted: readonly [keyof typeof providers, string, string, string][] = [
  ['anthropic', '/v1/messages', '/messages', 'anthropic_messages'],
  ['anthropic', '/messages', '/messages', 'anthropic_messages'],
  ['anthropic', '/v1/v1/messages', '/messages', 'anthropic_messages'],
  ['anthropic', '//v1//messages/', '/messages', 'anthropic_messages'],
  ['openai', '/v1/chat/completions', '/chat/completions', 'openai_chat'],
  ['openai', '/v1/responses', '/responses', 'openai_responses'],
  ['openai', '/responses/', '/responses', 'openai_responses'],
  ['openai', '/v1/%72esponses', '/responses', 'openai_responses'],
]
for (const [name, path, clean, format] of intercepted) {
  test(`${name} ${path} is intercepted as ${format}`, () => {
    const route = matchRoute(providers[name], path)
    assert.ok(route?.kind === 'intercepted')
    assert.equal(route.path, clean)
    assert.equal(route.format.name, format)
  })
}

const passed: readonly [keyof typeof providers, string, string, string, boolean?][] = [
  ['anthropic', '/v1/models', '/models', '/models'],
  ['anthropic', '/models/claude-x', '/models/claude-x', '/models/*'],
  ['anthropic', '/v1/messages/count_tokens', '/messages/count_tokens', '/messages/count_tokens'],
  [
    'anthropic',
    '/api/event_logging/batch',
    '/api/event_logging/batch',
    '/api/event_logging/*',
    true,
  ],
  ['anthropic', '/v1/files', '/files', '/files/*'],
  ['anthropic', '/v1/files/f_1/content', '/files/f_1/content', '/files/*'],
  ['openai', '/v1/embeddings', '/embeddings', '/embeddings'],
  ['openai', '/v1/models/', '/models', '/models'],
  ['openai', '/v1/models/org%2Fmodel', '/models/org%2Fmodel', '/models/*'],
  ['openai', '/v1/models/gpt-5.2:latest', '/models/gpt-5.2:latest', '/models/*'],
  ['openai', '/responses/resp_1/input_items', '/responses/resp_1/input_items', '/responses/*'],
  ['openai', '/v1/responses/compact', '/responses/compact', '/responses/*'],
  ['openai', '/v1/conversations/c/items', '/conversations/c/items', '/conversations/*'],
]
for (const [name, path, clean, label, root = false] of passed) {
  test(`${name} ${path} is passed through as ${label}`, () => {
    assert.deepEqual(matchRoute(providers[name], path), {
      kind: 'passthrough',
      path: clean,
      root,
      label,
    })
  })
}

for (const [name, path] of [
  ['anthropic', ''],
  ['anthropic', '/'],
  ['anthropic', '/v1'],
  ['anthropic', '/api/hello'],
  ['anthropic', '/v1/messages/batches'],
  ['anthropic', '/v1/modelsx'],
  ['anthropic', '/v2/messages'],
  ['anthropic', '/chat/completions'],
  ['openai', '/v1/messages'],
  ['openai', '/v1/files'],
  ['openai', '/v1/Responses'],
  ['openai', '/v1/organization/admin_api_keys'],
  ['openai', '/constructor'],
] as const) {
  test(`${name} "${path}" is no route`, () => assert.equal(matchRoute(providers[name], path), null))
}

for (const path of [
  '/v1/models/../files',
  '/v1/models/./x',
  '/v1/models/..',
  '/v1/models/%2e%2e/files',
  '/v1/models/%2E./files',
  '/v1/models/..%2ffiles',
  '/v1/models/%2e%2e%2ffiles',
  '/v1/models/%252e%252e%252ffiles',
  '/v1/models/%25252e%25252e/files',
  '/v1/models/..%5cfiles',
  '/v1/models/..\\files',
  '/v1/models\\..\\files',
  '/v1/models/..;/files',
  '/v1/models/.\t./files',
  '/v1/models/x?y',
  '/v1/models/x#y',
  '/v1/responses/%2F',
  '/v1/responses/;a=b',
]) {
  test(`${JSON.stringify(path)} cannot climb out of its route`, () => {
    assert.equal(matchRoute(providers.openai, path), null)
  })
}

test('whatever is asked for, the URL sent upstream lies within the route that matched', () => {
  const piece = fc.constantFrom(
    ...[
      '/',
      '//',
      '.',
      '..',
      '%2e',
      '%2F',
      '%5C',
      '%25',
      '2e',
      '\\',
      ';',
      'x',
      'models',
      'v1',
      'responses',
    ],
  )
  const path = fc.array(piece, { maxLength: 12 }).map((pieces) => `/${pieces.join('')}`)
  fc.assert(
    fc.property(path, fc.constantFrom('/models', '/v1/models', '/responses'), (rest, start) => {
      const route = matchRoute(providers.openai, start + rest)
      if (!route) return
      const url = upstreamUrl(providers.openai, route.path, '')
      assert.equal(url.pathname, `/v1${route.path}`)
      const folder = route.kind === 'passthrough' ? route.label.replace('/*', '') : route.path
      assert.ok(url.pathname === `/v1${folder}` || url.pathname.startsWith(`/v1${folder}/`))
    }),
    { numRuns: 2000 },
  )
})
