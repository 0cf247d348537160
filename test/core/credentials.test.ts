import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bearerToken, mask, resolveCredential } from '../../src/core/credentials.ts'
import { anthropic } from '../../src/core/providers/anthropic.ts'
import { openai } from '../../src/core/providers/openai.ts'
import type { RawHeaders } from '../../src/core/upstream.ts'

const key = 'sk-configured-0123456789'
const own = 'sk-ant-own-0123456789'
const keyed = { key }

for (const [value, token] of [
  ['', undefined],
  [' ', undefined],
  ['some-token', undefined],
  ['Bearer', undefined],
  ['Bearer token extra', undefined],
  ['Basic dXNlcg==', undefined],
  ['Bearer x', 'x'],
  ['BeArEr x', 'x'],
  ['  Bearer   x  ', 'x'],
] as const) {
  test(`"${value}" holds ${token === undefined ? 'no bearer token' : `the bearer token ${token}`}`, () => {
    assert.equal(bearerToken(value), token)
  })
}

for (const [secret, hint] of [
  ['', ''],
  ['x', '...'],
  ['ab', '...'],
  ['abcd', '...'],
  ['short', 's...t'],
  ['veryshort', 'v...t'],
  ['thisisquitelong', 'th...ng'],
  ['sk-ant-api03-abcdefgh', 'sk-a...efgh'],
  ['hélloworld😀ü', 'hé...😀ü'],
  ['ghp_0123456789abcdefghijklmnopqrstefgh', 'ghp_...efgh'],
] as const) {
  test(`the hint of "${secret}" is "${hint}"`, () => assert.equal(mask(secret), hint))
}

interface Case {
  readonly name: string
  readonly provider: 'anthropic' | 'openai'
  readonly configured?: boolean
  readonly sent: RawHeaders
  readonly expect: RawHeaders
  readonly kind: 'byok' | 'centralized'
  readonly hint: string
  readonly passthrough?: true
  readonly allowByok?: false
}

const bearer = `bearer  ${own}`
const cases: readonly Case[] = [
  {
    name: 'the key of an Anthropic client goes on as it came',
    provider: 'anthropic',
    configured: true,
    sent: ['x-api-KEY', own, 'A', 'b'],
    expect: ['x-api-KEY', own, 'A', 'b'],
    kind: 'byok',
    hint: 'sk-a...6789',
  },
  {
    name: 'so does its bearer token',
    provider: 'anthropic',
    configured: true,
    sent: ['A', 'b', 'authorization', bearer],
    expect: ['A', 'b', 'authorization', bearer],
    kind: 'byok',
    hint: 'sk-a...6789',
  },
  {
    name: 'of both headers x-api-key wins, wherever it stands',
    provider: 'anthropic',
    sent: ['Authorization', 'Bearer other', 'A', 'b', 'X-Api-Key', own],
    expect: ['A', 'b', 'X-Api-Key', own],
    kind: 'byok',
    hint: 'sk-a...6789',
  },
  {
    name: 'a blank x-api-key does not hide a bearer token',
    provider: 'anthropic',
    sent: ['X-Api-Key', ' ', 'Authorization', bearer],
    expect: ['Authorization', bearer],
    kind: 'byok',
    hint: 'sk-a...6789',
  },
  {
    name: 'a second credential under the same name is not forwarded',
    provider: 'openai',
    sent: ['Authorization', 'Basic x', 'authorization', bearer, 'Authorization', 'Bearer two'],
    expect: ['authorization', bearer],
    kind: 'byok',
    hint: 'sk-a...6789',
  },
  {
    name: 'without a credential Anthropic gets the configured key',
    provider: 'anthropic',
    configured: true,
    sent: ['A', 'b'],
    expect: ['A', 'b', 'X-Api-Key', key],
    kind: 'centralized',
    hint: 'sk-c...6789',
  },
  {
    name: 'without a credential OpenAI gets the configured key',
    provider: 'openai',
    configured: true,
    sent: ['A', 'b'],
    expect: ['A', 'b', 'Authorization', `Bearer ${key}`],
    kind: 'centralized',
    hint: 'sk-c...6789',
  },
  {
    name: 'an Authorization that is no bearer token does not count and does not go on',
    provider: 'anthropic',
    configured: true,
    sent: ['Authorization', 'Basic dXNlcjpwYXNz'],
    expect: ['X-Api-Key', key],
    kind: 'centralized',
    hint: 'sk-c...6789',
  },
  {
    name: 'OpenAI never sees an x-api-key',
    provider: 'openai',
    configured: true,
    sent: ['X-Api-Key', own],
    expect: ['Authorization', `Bearer ${key}`],
    kind: 'centralized',
    hint: 'sk-c...6789',
  },
  {
    name: 'with no credential at all the request goes on without',
    provider: 'anthropic',
    sent: ['A', 'b'],
    expect: ['A', 'b'],
    kind: 'centralized',
    hint: '',
  },
  {
    name: 'a passed-through request keeps both headers of the client',
    provider: 'anthropic',
    configured: true,
    passthrough: true,
    sent: ['X-Api-Key', own, 'Authorization', 'Bearer two'],
    expect: ['X-Api-Key', own, 'Authorization', 'Bearer two'],
    kind: 'byok',
    hint: 'sk-a...6789',
  },
  {
    name: 'a passed-through request keeps an Authorization of any scheme',
    provider: 'openai',
    configured: true,
    passthrough: true,
    sent: ['Authorization', 'Basic abcdef'],
    expect: ['Authorization', 'Basic abcdef'],
    kind: 'byok',
    hint: 'Ba...ef',
  },
  {
    name: 'a passed-through request without a credential gets the key, in place of an empty header',
    provider: 'openai',
    configured: true,
    passthrough: true,
    sent: ['authorization', '', 'A', 'b'],
    expect: ['A', 'b', 'Authorization', `Bearer ${key}`],
    kind: 'centralized',
    hint: 'sk-c...6789',
  },
  ...[undefined, true as const].map(
    (passthrough): Case => ({
      name: `without BYOK every client credential is dropped${passthrough ? ', passed through, too' : ''}`,
      provider: 'anthropic',
      configured: true,
      allowByok: false,
      ...(passthrough ? { passthrough } : {}),
      sent: ['X-Api-Key', own, 'Authorization', bearer, 'api-key', own, 'x-goog-api-key', own],
      expect: ['X-Api-Key', key],
      kind: 'centralized',
      hint: 'sk-c...6789',
    }),
  ),
]

for (const {
  name,
  provider,
  configured,
  sent,
  expect,
  kind,
  hint,
  passthrough,
  allowByok,
} of cases) {
  test(name, () => {
    const options = configured ? keyed : {}
    const credential = resolveCredential(
      provider === 'anthropic' ? anthropic(options) : openai(options),
      sent,
      { intercepted: !passthrough, allowByok: allowByok ?? true },
    )
    assert.deepEqual(credential, { headers: expect, kind, hint })
  })
}

test('without BYOK and without a key the request is refused, saying what to do and no secret', () => {
  for (const intercepted of [true, false]) {
    assert.throws(
      () =>
        resolveCredential(openai({ name: 'mine' }), ['Authorization', `Bearer ${own}`], {
          allowByok: false,
          intercepted,
        }),
      (error: Error & { code?: string; status?: number }) => {
        assert.equal(error.code, 'ERR_NO_PROVIDER_KEY')
        assert.equal(error.status, 403)
        assert.match(error.message, /"mine".*configure a key.*allow-byok/)
        assert.doesNotMatch(error.message, /sk-ant/)
        return true
      },
    )
  }
})
