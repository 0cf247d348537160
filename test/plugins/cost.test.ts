import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { EMPTY } from 'rxjs'
import type { UsageEvent } from '../../src/core/events.ts'
import type { Interception } from '../../src/core/interception.ts'
import { cost } from '../../src/plugins/cost.ts'
import { startGateway } from '../support/gateway.ts'
import { routes } from '../support/questions.ts'
import { rawCall } from '../support/raw-client.ts'

const day = new Date('2026-02-01T12:00:00Z')

function call(
  model: string,
  provider = 'anthropic',
  more: Partial<Interception> = {},
): Interception {
  return {
    id: 'an-id',
    initiator: { id: 'u', username: 'u' },
    provider,
    providerName: provider,
    format: 'anthropic_messages',
    model,
    client: 'Unknown',
    sessionId: 'a-session',
    streaming: true,
    startedAt: day,
    frames$: EMPTY,
    ...more,
  }
}

function used(
  [input, cacheRead, cacheWrite, output]: readonly [number, number, number, number],
  metadata: UsageEvent['metadata'] = {},
): UsageEvent {
  return {
    type: 'usage',
    messageId: 'msg_1',
    round: 0,
    inputTokens: input,
    cacheReadInputTokens: cacheRead,
    cacheWriteInputTokens: cacheWrite,
    outputTokens: output,
    metadata,
    final: true,
  }
}

const nanos = (usage: UsageEvent, interception: Interception, price = cost()) =>
  price(usage, interception)?.costNanoUsd ?? null

describe('by the list', () => {
  const opus = call('claude-opus-4-5')

  test('input, cache reads, cache writes and output each have their price', () => {
    assert.equal(nanos(used([1000, 12_000, 1000, 500]), opus), 29_750_000)
  })

  test('peers 86: an hour’s cache writes cost more, the rest of the total is priced at five minutes', () => {
    const split = (metadata: UsageEvent['metadata']) =>
      nanos(used([1000, 12_000, 1000, 500], metadata), opus)
    assert.equal(split({ cache_write_1h_input_tokens: 400 }), 31_250_000)
    assert.equal(
      split({ cache_write_5m_input_tokens: 100, cache_write_1h_input_tokens: 400 }),
      31_250_000,
    )
    assert.equal(split({ cache_write_5m_input_tokens: 700 }), 29_750_000)
    // More than the total can't have been written.
    assert.equal(split({ cache_write_1h_input_tokens: 9000 }), 33_500_000)
  })

  test('a long context has its own price', () => {
    const sonnet = call('claude-sonnet-4-5')
    assert.equal(nanos(used([100_000, 0, 0, 0]), sonnet), 300_000_000)
    assert.equal(nanos(used([100_000, 150_000, 0, 0]), sonnet), 600_000_000 + 90_000_000)
  })

  test('the price is that of the day of the request', () => {
    const before = call('o3', 'openai', { startedAt: new Date('2025-01-01') })
    assert.equal(nanos(used([1000, 0, 0, 500]), before), 30_000_000)
    assert.equal(nanos(used([1000, 0, 0, 500]), call('o3', 'openai')), 6_000_000)
  })

  test('web searches cost, too', () => {
    const searched = used([0, 0, 0, 0], { web_search_requests: 3 })
    assert.equal(nanos(searched, opus), 30_000_000)
  })

  test('an instance named for a vendor has that vendor’s prices', () => {
    const deepseek = call('deepseek-chat', 'openai', { providerName: 'deepseek' })
    assert.ok((nanos(used([1000, 0, 0, 500]), deepseek) ?? 0) > 0)
    assert.equal(nanos(used([1000, 0, 0, 500]), call('deepseek-chat', 'openai')), null)
    const named = call('claude-opus-4-5', 'anthropic', { providerName: 'eu' })
    assert.equal(nanos(used([1000, 0, 0, 0]), named), 5_000_000)
  })

  test('source and version of the price are told', () => {
    const told = cost()(used([1, 1, 1, 1]), opus)
    assert.equal(told?.priceSource, '@pydantic/genai-prices')
    assert.match(told?.priceVersion ?? '', /^\d+\.\d+\.\d+/)
  })

  for (const [what, usage, interception] of [
    ['a model that is not in it', used([1000, 0, 0, 500]), call('my-own-model')],
    ['no model', used([1000, 0, 0, 500]), call('')],
    ['a model name without end', used([1000, 0, 0, 500]), call('claude'.repeat(1000))],
    ['a tier that it does not know', used([1, 0, 0, 1], { service_tier: 'priority' }), opus],
    [
      'audio without a price',
      used([9, 0, 0, 9], { audio_input_tokens: 5 }),
      call('gpt-4.1', 'openai'),
    ],
    ['figures that are no numbers', used([Number.NaN, 0, 0, 1]), opus],
  ] as const) {
    test(`peers 87: ${what} costs null, not 0`, async () => {
      const recorded = await recordedCost(usage, interception)
      assert.deepEqual(recorded, { costNanoUsd: null, priceSource: null, priceVersion: null })
    })
  }

  test('what was free costs 0', () => {
    assert.equal(nanos(used([0, 0, 0, 0]), opus), 0)
  })
})

describe('by prices of one’s own', () => {
  const prices = {
    'my-model': {
      input: 3,
      output: 15,
      cacheRead: 0.3,
      cacheWrite: 3.75,
      cacheWrite1h: 6,
      tiers: [
        { above: 200_000, input: 6, output: 22.5 },
        { above: 500_000, input: 9, output: 30 },
      ],
    },
    'eu/my-model': { input: 1, output: 1 },
    'claude-opus-4-5': { input: 0, output: 0 },
  }
  const price = cost({ prices })
  const mine = call('my-model')

  test('peers 10: cached tokens are priced once, at their own price', () => {
    assert.equal(nanos(used([1000, 10_000, 1000, 100]), mine, price), 11_250_000)
    const hour = { cache_write_1h_input_tokens: 1000 }
    assert.equal(nanos(used([1000, 10_000, 1000, 100], hour), mine, price), 13_500_000)
  })

  test('cached tokens without a price of their own cost what others do', () => {
    const eu = call('my-model', 'anthropic', { providerName: 'eu' })
    assert.equal(nanos(used([10, 20, 30, 40]), eu, price), 100_000)
  })

  test('the highest tier that is exceeded counts for all tokens', () => {
    assert.equal(nanos(used([200_000, 0, 0, 0]), mine, price), 600_000_000)
    assert.equal(nanos(used([200_001, 0, 0, 0]), mine, price), 1_200_006_000)
    assert.equal(nanos(used([1, 500_000, 0, 1]), mine, price), 4_500_039_000)
  })

  test('they count before the list’s, and say so', () => {
    const told = price(used([5, 0, 0, 5]), call('claude-opus-4-5'))
    assert.equal(told?.costNanoUsd, 0)
    assert.equal(told?.priceSource, 'configuration')
    assert.match(told?.priceVersion ?? '', /^[0-9a-f]{12}$/)
  })

  test('faults in the table are refused by name', () => {
    const broken = {
      a: { input: -1 },
      b: { input: 1, output: 2, cache: 3 },
      c: { input: 1, output: 2, tiers: [{ input: 1, output: 2 }] },
    } as never
    assert.throws(() => cost({ prices: broken }), {
      code: 'ERR_PRICES',
      message: [
        'prices.a.input: must be a number, 0 or above',
        'prices.a.output: must be a number, 0 or above',
        'prices.b.cache: unknown',
        'prices.c.tiers[0].above: must be a number, 0 or above',
      ].join('\n'),
    })
  })
})

describe('through a gateway', async () => {
  let answered = 0
  const gateway = await startGateway({
    capture: {
      price: cost({ prices: { 'test-model': { input: 3, output: 15, cacheRead: 0.3 } } }),
    },
  })
  after(() => gateway.close())

  for (const [name, { path, ask }] of Object.entries(routes)) {
    test(`peers 9, ${name}: an answer costs the same streamed and whole`, async () => {
      const costs = []
      for (const stream of [true, false]) {
        const options = stream && name === 'chat' ? { stream_options: { include_usage: true } } : {}
        await rawCall(gateway.port, { path, body: { ...ask, stream, ...options } })
        const [usage] = (await gateway.ended(answered++)).tokenUsages
        costs.push(usage?.costNanoUsd)
      }
      assert.ok(Number(costs[0]) > 0)
      assert.equal(costs[0], costs[1])
    })
  }

  test('peers 3: a cut stream’s record has its price and cache figures', async () => {
    const { path, ask } = routes.messages
    gateway.upstream.next({
      cut: 4,
      answer: { usage: { total: 1000, cacheRead: 600, cacheWrite: 0, output: 50, reasoning: 0 } },
    })
    await rawCall(gateway.port, { path, body: { ...ask, stream: true } })
    const { end, tokenUsages } = await gateway.ended(answered++)
    assert.equal(end.outcome, 'upstream_cut')
    const [usage] = tokenUsages
    assert.deepEqual([usage?.inputTokens, usage?.cacheReadInputTokens], [400, 600])
    const output = usage?.outputTokens ?? 0
    assert.equal(usage?.costNanoUsd, 400 * 3000 + 600 * 300 + output * 15_000)
  })
})

test('prices that fail cost the price alone', async () => {
  const gateway = await startGateway({
    capture: {
      price: () => {
        throw new Error('no prices today')
      },
    },
  })
  const { path, ask } = routes.messages
  await rawCall(gateway.port, { path, body: { ...ask, stream: true } })
  const { tokenUsages } = await gateway.ended(0)
  await gateway.close()
  assert.ok(Number(tokenUsages[0]?.outputTokens) > 0)
  assert.equal(tokenUsages[0]?.costNanoUsd, null)
  assert.deepEqual(gateway.log, [])
})

async function recordedCost(usage: UsageEvent, interception: Interception) {
  const { from, lastValueFrom } = await import('rxjs')
  const { tokenCounter } = await import('../../src/plugins/token-counter.ts')
  const bodies = tokenCounter({ price: cost() }).observe?.(from([usage]), interception)
  const body = await lastValueFrom(from(bodies ?? []))
  assert.equal(body.type, 'token_usage')
  const { costNanoUsd, priceSource, priceVersion } = body as Extract<
    typeof body,
    { type: 'token_usage' }
  >
  return { costNanoUsd, priceSource, priceVersion }
}
