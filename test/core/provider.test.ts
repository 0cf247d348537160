import assert from 'node:assert/strict'
import { test } from 'node:test'
import { upstreamUrl } from '../../src/core/provider.ts'
import { anthropic } from '../../src/core/providers/anthropic.ts'
import { openai } from '../../src/core/providers/openai.ts'

for (const [base, path, url] of [
  ['http://h', '/messages', 'http://h/v1/messages'],
  ['http://h/', '/messages', 'http://h/v1/messages'],
  ['http://h/v1', '/messages', 'http://h/v1/messages'],
  ['http://h/v1/', '/messages', 'http://h/v1/messages'],
  ['http://h/v1/v1', '/messages', 'http://h/v1/messages'],
  ['http://h/api', '/messages', 'http://h/api/v1/messages'],
  ['http://h/api/v1', '/messages', 'http://h/api/v1/messages'],
  ['https://h/api/paas/v4', '/chat/completions', 'https://h/api/paas/v4/chat/completions'],
  ['https://h/v1beta/openai/', '/chat/completions', 'https://h/v1beta/openai/chat/completions'],
  ['http://h:8080/a/b', '/models/org%2Fm', 'http://h:8080/a/b/v1/models/org%2Fm'],
] as const) {
  test(`${path} of a provider at ${base} is ${url}`, () => {
    assert.equal(upstreamUrl(openai({ baseUrl: base }), path, '').href, url)
  })
}

test('the query string is kept as it is', () => {
  const url = upstreamUrl(anthropic({ baseUrl: 'http://h' }), '/messages', '?beta=true&a=%2F')
  assert.equal(url.href, 'http://h/v1/messages?beta=true&a=%2F')
})

test('a root route lives beside the version', () => {
  for (const base of ['http://h/a', 'http://h/a/v1']) {
    const url = upstreamUrl(anthropic({ baseUrl: base }), '/api/event_logging/batch', '', true)
    assert.equal(url.href, 'http://h/a/api/event_logging/batch')
  }
})

test('providers go to their vendors unless told otherwise', () => {
  assert.equal(
    upstreamUrl(anthropic(), '/messages', '').href,
    'https://api.anthropic.com/v1/messages',
  )
  assert.equal(upstreamUrl(openai(), '/responses', '').href, 'https://api.openai.com/v1/responses')
  assert.equal(anthropic().vendor && openai().vendor, true)
  assert.equal(openai({ baseUrl: 'https://compatible.example/v1' }).vendor, false)
  assert.deepEqual(
    [anthropic().name, openai({ name: 'my-host-2' }).name],
    ['anthropic', 'my-host-2'],
  )
})

for (const name of ['', 'Upper', 'a--b', '-a', 'a_b', 'a/b', 'api', 'metrics']) {
  test(`"${name}" is refused as a provider's name`, () => {
    assert.throws(() => openai({ name }), {
      code: 'ERR_PROVIDER_NAME',
      message: new RegExp(`"${name}"`),
    })
  })
}

for (const baseUrl of ['nonsense', 'ftp://h', '']) {
  test(`"${baseUrl}" is refused as a base URL`, () => {
    assert.throws(() => anthropic({ baseUrl }), { code: 'ERR_PROVIDER_URL' })
  })
}
