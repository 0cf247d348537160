import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import type { Format } from '../../../src/core/format.ts'
import { anthropicMessages } from '../../../src/core/formats/anthropic-messages/format.ts'
import { openaiChat } from '../../../src/core/formats/openai-chat/format.ts'
import { openaiResponses } from '../../../src/core/formats/openai-responses/format.ts'
import { parseJson } from '../../../src/core/json.ts'
import { framesOf } from '../../support/frames.ts'
import { needs } from '../../support/needs.ts'
import { type ReadReply, readBody, readStream } from '../../support/read-reply.ts'

interface Expected {
  prompt: string
  model: string
  status: number
  outcome: string
  tools: { name: string; args: unknown; injected: boolean; toolCallId: string }[]
  thoughts: { source: string; length: number; sha256: string }[]
  correlatingToolCallId: string | null
  tokens: {
    responseId: string
    input: number
    output: number
    cacheRead: number
    cacheWrite: number
  }[]
}

const folder = join(import.meta.dirname, '../../../../shared/fixtures')
const skip = needs('shared')

for (const name of skip ? [] : readdirSync(folder)) {
  const path = join(folder, name)
  if (!existsSync(join(path, 'request.json'))) continue
  const { path: route, expect } = json(join(path, 'case.json')) as {
    path: string
    expect: Expected
  }
  const format = formatOf(route)

  test(`${name}: the request says what was asked`, () => {
    const request = format.readRequest(json(join(path, 'request.json')))
    assert.equal(request.prompt?.text, expect.prompt)
    assert.equal(request.model, expect.model)
    assert.equal(request.purpose, null)
    assert.equal(request.correlatingToolCallId, expect.correlatingToolCallId)
  })

  test(`${name}: the replies give the records of the case`, () => {
    const replies = expect.tokens.length > 1 ? ['response', 'response-2'] : ['response']
    const read = replies.map((reply) => readRecorded(format, path, reply, expect.status))
    assert.equal(read.at(-1)?.verdict.outcome, expect.outcome)
    assert.deepEqual(read.flatMap(tokens), expect.tokens)
    assert.deepEqual(read.flatMap(tools), expect.tools.map(asCalled))
    assert.deepEqual(
      read.flatMap(thoughts),
      expect.thoughts.map(({ source, length, sha256 }) => ({ source, length, sha256 })),
    )
  })
}

test('recorded exchanges', { skip }, () => {})

function json(path: string): unknown {
  return JSON.parse(readFileSync(path, 'utf8'))
}

function formatOf(route: string): Format {
  if (route.endsWith('/messages')) return anthropicMessages
  return route.endsWith('/responses') ? openaiResponses : openaiChat
}

function readRecorded(format: Format, path: string, reply: string, status: number): ReadReply {
  const file = readdirSync(path).find((each) => each.startsWith(`${reply}.`)) ?? ''
  const content = readFileSync(join(path, file), 'utf8')
  if (file.endsWith('.sse')) return readStream(format, framesOf(content))
  const body = file.endsWith('.http') ? content.slice(content.search(/\r?\n\r?\n/)).trim() : content
  return readBody(format, body, status)
}

function tokens({ usage }: ReadReply) {
  if (!usage) return []
  return [
    {
      responseId: usage.messageId,
      input: usage.inputTokens,
      output: usage.outputTokens,
      cacheRead: usage.cacheReadInputTokens,
      cacheWrite: usage.cacheWriteInputTokens,
    },
  ]
}

function tools(reply: ReadReply) {
  return reply.tools.map(({ tool, input, toolCallId }) => ({
    tool,
    args: parseJson(input) ?? input,
    toolCallId,
  }))
}

/** As the model called it: an injected tool under the name that the gateway gave it. */
function asCalled({ name, args, injected, toolCallId }: Expected['tools'][number]) {
  return {
    tool: injected ? `bmcp_coder_${name}` : name,
    args,
    toolCallId,
  }
}

function thoughts(reply: ReadReply) {
  return reply.thoughts.map(({ source, text }) => ({
    source,
    length: text.length,
    sha256: createHash('sha256').update(text).digest('hex'),
  }))
}
