import assert from 'node:assert/strict'
import { test } from 'node:test'
import { anthropic } from '../../src/core/providers/anthropic.ts'
import { openai } from '../../src/core/providers/openai.ts'
import { clientHints } from '../../src/server/client-hints.ts'

const lines = (...args: Parameters<typeof clientHints>) =>
  clientHints(...args)
    .flatMap((hint) => hint.lines)
    .join('\n')

test('with a login hints say where the token goes: in place of a key that is configured, else beside the client’s', () => {
  const url = 'https://ai.example'
  const keyless = [anthropic(), openai()]
  const keyed = [anthropic({ key: 'sk-secret' }), openai({ key: 'sk-secret' })]
  for (const auth of ['none', 'header'] as const)
    assert.doesNotMatch(lines(url, keyed, auth), /SLUICE_TOKEN|X-Sluice-Token/)
  for (const auth of ['tokens', 'jwt'] as const) {
    const inPlace = lines(url, keyed, auth)
    assert.match(inPlace, /ANTHROPIC_AUTH_TOKEN=\$SLUICE_TOKEN claude/)
    assert.match(inPlace, /env_key = "SLUICE_TOKEN"/)
    assert.match(inPlace, / OPENAI_API_KEY=\$SLUICE_TOKEN$/)
    assert.doesNotMatch(inPlace, /sk-secret|X-Sluice-Token/)
    const beside = lines(url, keyless, auth)
    assert.match(beside, /ANTHROPIC_CUSTOM_HEADERS="X-Sluice-Token: \$SLUICE_TOKEN" claude/)
    assert.match(
      beside,
      /env_key = "OPENAI_API_KEY"\nenv_http_headers = \{ "X-Sluice-Token" = "SLUICE_TOKEN" \}/,
    )
    assert.doesNotMatch(beside, /AUTH_TOKEN/)
  }
})
