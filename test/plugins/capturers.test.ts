import { deepEqual, equal } from 'node:assert/strict'
import { test } from 'node:test'
import type { InterceptionEvent } from '../../src/core/events.ts'
import { capturers } from '../../src/plugins/capturers.ts'
import { promptCapturer } from '../../src/plugins/prompt-capturer.ts'
import { reasoningCapturer } from '../../src/plugins/reasoning-capturer.ts'
import { tokenCounter } from '../../src/plugins/token-counter.ts'
import { toolCallExtractor } from '../../src/plugins/tool-call-extractor.ts'
import { recordsOf } from '../../src/testing.ts'

const request = (members: object = {}): InterceptionEvent => ({
  type: 'request',
  model: 'm',
  prompt: { text: 'List the files.', raw: '<wrap>List the files.</wrap>' },
  toolResults: [],
  ...members,
})
const text = (messageId: string): InterceptionEvent => ({
  type: 'text',
  messageId,
  choice: 0,
  text: 'Yes',
})
const usage = (members: object): InterceptionEvent => ({
  type: 'usage',
  messageId: 'msg_1',
  round: 0,
  inputTokens: 10,
  outputTokens: 1,
  cacheReadInputTokens: 5,
  cacheWriteInputTokens: 2,
  metadata: { service_tier: 'standard' },
  final: false,
  ...members,
})

test('promptCapturer keeps the prompt at once, and again with the id of the first reply', async () => {
  const prompt = {
    type: 'prompt_usage',
    key: 'prompt',
    prompt: 'List the files.',
    rawPrompt: '<wrap>List the files.</wrap>',
    metadata: {},
  }
  deepEqual(await recordsOf(promptCapturer(), [request(), text('msg_1'), text('msg_2')]), [
    { ...prompt, msgId: '', provisional: true },
    { ...prompt, msgId: 'msg_1', provisional: false },
  ])
})

test('promptCapturer keeps the prompt of a request that was never answered', async () => {
  const [, final] = await recordsOf(promptCapturer(), [request()])
  equal(final?.type === 'prompt_usage' && final.msgId, '')
})

test('promptCapturer keeps nothing where the user said nothing', async () => {
  deepEqual(await recordsOf(promptCapturer(), [request({ prompt: null }), text('msg_1')]), [])
})

test('tokenCounter keeps one record a round, replaced as figures become known', async () => {
  const records = await recordsOf(tokenCounter(), [
    usage({}),
    usage({ outputTokens: 20, final: true }),
    usage({ round: 1, messageId: 'msg_2', final: true }),
  ])
  const figures = {
    type: 'token_usage',
    inputTokens: 10,
    cacheReadInputTokens: 5,
    cacheWriteInputTokens: 2,
    metadata: { service_tier: 'standard' },
    costNanoUsd: null,
    priceSource: null,
    priceVersion: null,
  }
  deepEqual(records, [
    { ...figures, key: '0', provisional: true, msgId: 'msg_1', outputTokens: 1 },
    { ...figures, key: '0', provisional: false, msgId: 'msg_1', outputTokens: 20 },
    { ...figures, key: '1', provisional: false, msgId: 'msg_2', outputTokens: 1 },
  ])
})

const call = {
  toolCallId: 'call_1',
  itemId: 'fc_1',
  tool: 'Bash',
  input: '{"command":"ls"}',
  serverUrl: null,
  injected: false,
  invocationError: null,
  durationMs: null,
  metadata: { type: 'custom' },
}
const result = { toolCallId: 'call_0', isError: true, bytes: 6, content: 'failed' }

test('toolCallExtractor keeps every call, and every result that came back without its content', async () => {
  const events: InterceptionEvent[] = [
    request({ toolResults: [result] }),
    { type: 'tool_call', messageId: 'msg_1', ...call },
    { type: 'tool_call', messageId: 'msg_1', ...call, toolCallId: 'call_2' },
  ]
  deepEqual(await recordsOf(toolCallExtractor(), events), [
    { type: 'tool_result', ...result, content: null },
    { type: 'tool_usage', msgId: 'msg_1', ...call },
    { type: 'tool_usage', msgId: 'msg_1', ...call, toolCallId: 'call_2' },
  ])
})

test('toolCallExtractor keeps what tools answered where it is asked to', async () => {
  const events = [request({ toolResults: [result] })]
  deepEqual(await recordsOf(toolCallExtractor({ resultContent: true }), events), [
    { type: 'tool_result', ...result },
  ])
})

test('reasoningCapturer keeps each block of thought with its place', async () => {
  const events: InterceptionEvent[] = [
    {
      type: 'reasoning',
      messageId: 'msg_1',
      source: 'thinking',
      index: 0,
      text: 'Hm.',
      redacted: false,
    },
    {
      type: 'reasoning',
      messageId: 'msg_1',
      source: 'redacted_thinking',
      index: 1,
      text: '',
      redacted: true,
    },
  ]
  deepEqual(await recordsOf(reasoningCapturer(), events), [
    {
      type: 'model_thought',
      msgId: 'msg_1',
      index: 0,
      redacted: false,
      content: 'Hm.',
      metadata: { source: 'thinking' },
    },
    {
      type: 'model_thought',
      msgId: 'msg_1',
      index: 1,
      redacted: true,
      content: '',
      metadata: { source: 'redacted_thinking' },
    },
  ])
})

test('capturers are the four, in the order in which a reader thinks of them', () => {
  deepEqual(
    capturers().map(({ name }) => name),
    ['prompt-capturer', 'token-counter', 'tool-call-extractor', 'reasoning-capturer'],
  )
})
