import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { asksUsage, isAskedUsage, withUsageAsked } from '../../src/core/chat-usage.ts'
import { openai } from '../../src/core/providers/openai.ts'
import { frame } from '../support/frames.ts'
import { startGateway } from '../support/gateway.ts'
import { routes } from '../support/questions.ts'
import { rawCall } from '../support/raw-client.ts'
import { headerOf } from '../support/raw-http.ts'

const asking = await startGateway({ provider: { chatUsage: 'ask' } })
const plain = await startGateway({ provider: { chatUsage: 'off' } })
after(async () => {
  await asking.close()
  await plain.close()
})
const { path, ask } = routes.chat
const body = { ...ask, stream: true }

test('it is asked for only in Chat streams without stream_options, by the provider’s setting', () => {
  const facts = { format: 'openai_chat', streaming: true, hasStreamOptions: false } as const
  const own = 'http://localhost:1'
  const provider = (chatUsage: 'ask' | 'auto' | 'off', baseUrl?: string) =>
    openai({ chatUsage, ...(baseUrl && { baseUrl }) })
  assert.equal(asksUsage({ ...facts, provider: provider('ask', own) }), true)
  assert.equal(asksUsage({ ...facts, provider: provider('off') }), false)
  assert.equal(asksUsage({ ...facts, provider: provider('auto') }), true)
  assert.equal(asksUsage({ ...facts, provider: provider('auto', own) }), false)
  const always = { ...facts, provider: provider('ask') }
  assert.equal(asksUsage({ ...always, streaming: false }), false)
  assert.equal(asksUsage({ ...always, hasStreamOptions: true }), false)
  assert.equal(asksUsage({ ...always, format: 'openai_responses' }), false)
})

test('the request keeps its own bytes and gains one member', () => {
  for (const text of ['{"stream":true}', ' \n{ "stream" : true , "n":1.50 }\n']) {
    const sent = withUsageAsked(Buffer.from(text)).toString()
    assert.deepEqual(JSON.parse(sent), {
      ...JSON.parse(text),
      stream_options: { include_usage: true },
    })
    assert.ok(sent.endsWith(text.trimStart().slice(1)))
  }
})

test('only a chunk with no choices and a usage is what was asked for', () => {
  const usage = { prompt_tokens: 1 }
  assert.ok(isAskedUsage(frame('', { choices: [], usage })))
  assert.ok(isAskedUsage(frame('', JSON.stringify({ usage, choices: [] }, null, 1))))
  assert.ok(!isAskedUsage(frame('', { choices: [{}], usage })))
  assert.ok(!isAskedUsage(frame('', { choices: [], usage: null })))
  assert.ok(!isAskedUsage(frame('', { choices: [] })))
  assert.ok(!isAskedUsage(frame('', { usage })))
  assert.ok(!isAskedUsage(frame('', '"usage" "choices":[]')))
})

for (const split of [undefined, 1, 7, 1000]) {
  test(`where it is asked for, the extra chunk is taken out and nothing else (${split ?? 'no'} split)`, async () => {
    const at = asking.upstream.requests.length
    if (split) asking.upstream.next({ split })
    const answer = await rawCall(asking.port, { path, body })
    const sent = asking.upstream.requests[at]?.json as Record<string, unknown>
    assert.deepEqual(sent, { stream_options: { include_usage: true }, ...body })
    const direct = await rawCall(asking.upstream.port, { path: '/v1/chat/completions', body: sent })
    const extra = /data: \{[^\n]*"choices":\[\],"usage":\{[^\n]*\n\n/
    assert.match(direct.body.toString(), extra)
    assert.equal(answer.body.toString(), direct.body.toString().replace(extra, ''))
    assert.equal(answer.end, 'whole')
    const { end, tokenUsages } = await asking.ended(idOf(answer.headers))
    assert.equal(end.outcome, 'completed')
    assert.ok((tokenUsages[0]?.inputTokens ?? 0) > 0)
  })
}

test('a client that asks itself keeps the extra chunk', async () => {
  const own = { ...body, stream_options: { include_usage: true } }
  const answer = await rawCall(asking.port, { path, body: own })
  assert.match(answer.body.toString(), /"choices":\[\],"usage":\{/)
  for (const stream_options of [{ include_usage: false }, null, {}]) {
    const at = asking.upstream.requests.length
    await rawCall(asking.port, { path, body: { ...body, stream_options } })
    assert.deepEqual(asking.upstream.requests[at]?.json, { ...body, stream_options })
  }
})

test('where it is off, request and reply are left alone and missing usage is counted', async () => {
  const { diagnostics } = plain.gateway
  const before = diagnostics.total('usage_missing', { provider: 'openai' })
  const at = plain.upstream.requests.length
  const answer = await rawCall(plain.port, { path, body })
  assert.equal(plain.upstream.requests[at]?.body.toString(), JSON.stringify(body))
  const direct = await rawCall(plain.upstream.port, { path: '/v1/chat/completions', body })
  assert.deepEqual(answer.body, direct.body)
  const { tokenUsages } = await plain.ended(idOf(answer.headers))
  assert.equal(tokenUsages.length, 0)
  assert.equal(diagnostics.total('usage_missing', { provider: 'openai' }), before + 1)
})

test('a blocking reply is never touched', async () => {
  const at = asking.upstream.requests.length
  const answer = await rawCall(asking.port, { path, body: ask })
  assert.equal(asking.upstream.requests[at]?.body.toString(), JSON.stringify(ask))
  assert.notEqual(headerOf(answer.headers, 'content-length'), undefined)
})

test('a refusal of a request that was asked for usage keeps its length and bytes', async () => {
  asking.upstream.next({ status: 429 })
  const answer = await rawCall(asking.port, { path, body })
  assert.deepEqual([answer.status, answer.end], [429, 'whole'])
  assert.notEqual(headerOf(answer.headers, 'content-length'), undefined)
})

for (const [what, reply, want] of [
  [
    'a length that no longer holds is left out',
    ['data: {"choices":[],"usage":{"prompt_tokens":3}}\n\ndata: [DONE]\n\n'],
    'data: [DONE]\n\n',
  ],
  [
    'an error is never taken out',
    ['data: {"choices":[],"usage":{"prompt_tokens":3},"error":{"message":"no"}}\n\n'],
    'data: {"choices":[],"usage":{"prompt_tokens":3},"error":{"message":"no"}}\n\n',
  ],
  [
    'the chunk is taken out also where the stream ends with it',
    ['data: {"choices":[{"index":0}]}\n\n', 'data: {"choices":[],"usage":{"prompt_tokens":3}}'],
    'data: {"choices":[{"index":0}]}\n\n',
  ],
  [
    'what comes behind the end passes',
    ['data: [DONE]\n\n: more', ' and more\n\ndata: {"choices":[],"usage":{}}\n\n'],
    'data: [DONE]\n\n: more and more\n\ndata: {"choices":[],"usage":{}}\n\n',
  ],
  [
    'half an event at the end passes',
    ['data: {"choices":[{"index":0}]}\n\ndata: {"cho'],
    'data: {"choices":[{"index":0}]}\n\ndata: {"cho',
  ],
] as const) {
  test(`asked: ${what}`, async () => {
    const length = String(Buffer.byteLength(reply.join('')))
    const headers = ['content-type', 'text/event-stream', 'content-length', length]
    asking.upstream.next({ raw: reply, headers })
    const answer = await rawCall(asking.port, { path, body })
    assert.equal(answer.body.toString(), want)
    assert.equal(answer.end, 'whole')
  })
}

function idOf(headers: readonly string[]): string {
  return headerOf(headers, 'x-sluice-interception-id') ?? ''
}
