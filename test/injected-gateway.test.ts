import assert from 'node:assert/strict'
import { test } from 'node:test'
import Anthropic from '@anthropic-ai/sdk'
import OpenAI from 'openai'
import { arrayOf, objectOf, parseJson } from '../src/core/json.ts'
import { cost } from '../src/plugins/cost.ts'
import { startGateway, type TestGateway } from './support/gateway.ts'
import { mcpServer, textResult, tool } from './support/mcp-server.ts'
import { rawCall } from './support/raw-client.ts'
import {
  lacking,
  type RecordedExchange,
  recordedExchanges,
  recordedReply,
  recordedRequest,
} from './support/recorded-exchanges.ts'

const cases = recordedExchanges.filter(({ name }) => /injected_tool.*(block|stream)$/.test(name))

test('recorded exchanges with injected tools, through the whole gateway', { skip: lacking }, () =>
  assert.ok(cases.length >= 8),
)

for (const { name, path, streaming, expect } of cases) {
  test(`${name}: one clean answer, and all of it on record`, async (t) => {
    const fails = name.includes('_error')
    const coder = await mcpServer({
      tools: () =>
        [...new Set([...expect.tools.map(({ name }) => name), 'coder_other'])].map((each) =>
          tool(each),
        ),
      call: () => (fails ? { error: { code: -32000, message: 'forbidden' } } : textResult('mock')),
    })
    const request = recordedRequest(name) ?? assert.fail()
    const model = String(objectOf(parseJson(String(request))).model)
    const gateway = await startGateway({
      mcp: { servers: { coder: { url: coder.url } } },
      capture: { price: cost({ prices: { [model]: { input: 1, output: 2 } } }) },
    })
    t.after(() => Promise.all([gateway.close(), coder.close()]))
    for (const stem of ['response', 'response-2']) {
      const { file, bytes } = recordedReply(name, stem)
      const type = file.endsWith('.sse') ? 'text/event-stream' : 'application/json'
      gateway.upstream.next({ raw: bytes, headers: { 'content-type': type } })
    }
    const { status, body } = await rawCall(gateway.port, {
      path,
      body: request,
      headers: ['content-type', 'application/json', 'x-api-key', 'k', 'authorization', 'Bearer k'],
    })
    assert.equal(status, 200)
    // Who has the whole answer finds it on record: no waiting here.
    const [stored] = await gateway.interceptions()
    const { end, userPrompts, tokenUsages, toolUsages } = stored ?? assert.fail()
    assert.equal(end?.outcome, 'completed')
    assert.equal(end?.observed, 'full')
    assert.equal(userPrompts.length, 1)
    assert.equal(userPrompts[0]?.prompt, expect.prompt)
    assert.deepEqual(
      tokenUsages.map(({ msgId, inputTokens, outputTokens }) => [msgId, inputTokens, outputTokens]),
      expect.tokens.map(({ responseId, input, output }) => [responseId, input, output]),
    )
    assert.equal(new Set(tokenUsages.map(({ id }) => id)).size, tokenUsages.length)
    for (const { costNanoUsd, inputTokens, cacheReadInputTokens, outputTokens } of tokenUsages) {
      assert.equal(costNanoUsd, 1000 * (inputTokens + cacheReadInputTokens + 2 * outputTokens))
    }
    assert.deepEqual(
      toolUsages.map(({ tool, input, toolCallId, serverUrl, injected }) => [
        tool,
        parseJson(input),
        toolCallId,
        serverUrl,
        injected,
      ]),
      expect.tools.map(({ name, args, toolCallId }) => [name, args, toolCallId, coder.url, true]),
    )
    for (const { durationMs, invocationError, msgId } of toolUsages) {
      assert.ok((durationMs ?? -1) >= 0)
      assert.equal(msgId, expect.tokens[0]?.responseId)
      assert.equal(/forbidden/.test(invocationError ?? ''), fails)
    }
    assertSecondRequest(gateway, path, expect, fails)
    // The SDK makes of it what the last round said, and sums the usage.
    const said = await answerOf(path, streaming, body)
    const output = expect.tokens.reduce((sum, { output }) => sum + output, 0)
    assert.equal(said.output, output)
    assert.equal(said.calls, 0)
    assert.equal(said.id, expect.tokens.at(path.endsWith('/responses') ? -1 : 0)?.responseId)
    assert.ok(said.text.length > 10)
    // Providers may repeat the tools that were offered; of the calls nothing is told.
    assert.ok(!body.includes(expect.tools[0]?.toolCallId ?? '-'))
  })
}

function assertSecondRequest(
  { upstream }: TestGateway,
  path: string,
  { tools }: RecordedExchange['expect'],
  fails: boolean,
) {
  const [first, second, ...more] = upstream.requests
  assert.deepEqual(more, [])
  const list = path.endsWith('/responses') ? 'input' : 'messages'
  const before = objectOf(first?.json)
  const after = objectOf(second?.json)
  // Beside what was said, the second request is the first one's bytes.
  assert.deepEqual({ ...after, [list]: null }, { ...before, [list]: null })
  const said = arrayOf(after[list]).map((each) => JSON.stringify(each))
  const known = Array.isArray(before[list]) ? before[list].length : 1
  const result = said.at(-1) ?? ''
  assert.ok(result.includes(fails ? 'forbidden' : 'mock'))
  assert.ok(said.slice(known, -1).join().includes(`bmcp_coder_${tools[0]?.name}`))
  assert.ok(result.includes(tools[0]?.toolCallId ?? '-'))
}

async function answerOf(path: string, streaming: boolean, body: Buffer) {
  const type = streaming ? 'text/event-stream' : 'application/json'
  const fetch = async () =>
    new Response(new Uint8Array(body), { headers: { 'content-type': type } })
  const options = { apiKey: 'k', maxRetries: 0, fetch }
  const openai = new OpenAI(options)
  const model = 'm'
  if (path.endsWith('/messages')) {
    const { messages } = new Anthropic(options)
    const ask = { model, max_tokens: 9, messages: [] }
    const message = streaming
      ? await messages.stream(ask).finalMessage()
      : await messages.create(ask)
    return {
      id: message.id,
      text: message.content.map((block) => (block.type === 'text' ? block.text : '')).join(''),
      calls: message.content.filter(({ type }) => type === 'tool_use').length,
      output: message.usage.output_tokens,
    }
  }
  if (path.endsWith('/completions')) {
    const ask = { model, messages: [] }
    const { choices, usage, id } = streaming
      ? await openai.chat.completions.stream(ask).finalChatCompletion()
      : await openai.chat.completions.create(ask)
    const message = choices[0]?.message
    return {
      id,
      text: message?.content ?? '',
      calls: message?.tool_calls?.length ?? 0,
      output: usage?.completion_tokens,
    }
  }
  const ask = { model, input: '' }
  let last: OpenAI.Responses.Response | undefined
  if (streaming) {
    for await (const event of await openai.responses.create({ ...ask, stream: true })) {
      if (event.type === 'response.completed') last = event.response
    }
  } else last = await openai.responses.create(ask)
  const items = last?.output ?? []
  return {
    id: last?.id,
    text: items
      .map((item) => (item.type === 'message' ? JSON.stringify(item.content) : ''))
      .join(''),
    calls: items.filter(({ type }) => type === 'function_call').length,
    output: last?.usage?.output_tokens,
  }
}
