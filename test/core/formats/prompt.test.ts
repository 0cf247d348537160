import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import { anthropicMessages } from '../../../src/core/formats/anthropic-messages/format.ts'
import { openaiChat } from '../../../src/core/formats/openai-chat/format.ts'
import { openaiResponses } from '../../../src/core/formats/openai-responses/format.ts'
import { promptOf } from '../../../src/core/formats/prompt.ts'
import { needs } from '../../support/needs.ts'

const reminder = '<system-reminder>\nbe brief\n</system-reminder>'
const details = '\n\n<environment_details>\ncwd: /x\n</environment_details>'
const date = '<current_datetime>2026-01-02T03:04:05Z</current_datetime>\n\n'

test('the last text that no client wrapped is the prompt', () => {
  assert.deepEqual(promptOf([reminder, `${reminder}\n`, 'do it'], 'last'), {
    text: 'do it',
    raw: 'do it',
  })
  assert.equal(promptOf(['do it', details], 'last')?.text, 'do it')
  assert.equal(promptOf([reminder, details], 'last'), null)
  assert.equal(promptOf([], 'last'), null)
})

test('a leading date is cut, and stays in the raw text', () => {
  assert.deepEqual(promptOf([`${date}do it`], 'last'), { text: 'do it', raw: `${date}do it` })
  assert.equal(promptOf([`do it ${date}`], 'last')?.text, `do it ${date}`)
})

test('nothing else is trimmed', () => {
  assert.equal(promptOf(['  do it\n'], 'last')?.text, '  do it\n')
})

test('Responses joins what is left', () => {
  assert.equal(promptOf(['a', details, 'b'], 'all')?.text, 'a\nb')
})

const notWrapped = [
  `${reminder} and this`,
  `see ${reminder}`,
  `${reminder} words of the user ${reminder}`,
  '<system-reminder>',
  '<system-reminders>x</system-reminders>',
  '<b>x</b>',
]
for (const text of notWrapped) {
  test(`a text that is not wholly one element of the client is kept: ${JSON.stringify(text)}`, () => {
    assert.equal(promptOf([text], 'last')?.text, text)
  })
}

const wrapped = [
  '<system-reminder>in <system-reminder> tags there are reminders</system-reminder>',
  '<environment_context>\n  <cwd>/x</cwd>\n</environment_context>',
  `  ${reminder}\n\n`,
]
for (const text of wrapped) {
  test(`a text that is one element of the client is dropped: ${JSON.stringify(text)}`, () => {
    assert.equal(promptOf([text], 'last'), null)
  })
}

const text = (value: unknown) => ({ type: 'text', text: value })
const image = { type: 'image', source: {} }
const user = (content?: unknown) => ({ role: 'user', content })
const assistant = { role: 'assistant', content: 'ok' }
const toolResult = { type: 'tool_result', tool_use_id: 'toolu_1', content: 'out' }

const messages: [string, unknown, string | null][] = [
  ['a string', [user('hi')], 'hi'],
  ['an empty string', [user('')], ''],
  ['the last text part', [user([image, text('first'), text('last')])], 'last'],
  ['an assistant last', [user('hi'), assistant], null],
  ['no messages', undefined, null],
  ['empty messages', [], null],
  ['empty content', [user([])], null],
  ['only images', [user([image])], null],
  ['two turns', [user('one'), assistant, user('two')], 'two'],
  ['messages that are no list', { role: 'user' }, null],
  ['a text that is none', [user([text(123)])], null],
  [
    'a system message last',
    [user([text(reminder), text('hi')]), { role: 'system', content: 'env' }],
    'hi',
  ],
  ['tool results alone', [user([toolResult])], null],
  ['tool results and a reminder', [user([toolResult, text(reminder)])], null],
  ['tool results and words', [user([toolResult, text('go on')])], 'go on'],
]
for (const [name, list, expected] of messages) {
  test(`Messages: ${name}`, () => {
    const { prompt } = anthropicMessages.readRequest({ messages: list })
    assert.equal(prompt?.text ?? null, expected)
  })
}

const tool = { role: 'tool', tool_call_id: 'call_1', content: 'out' }
const chat: [string, unknown, string | null][] = [
  ['a string', [user('hi')], 'hi'],
  ['an empty string', [user('')], null],
  ['the last text part', [user([image, text('first'), image, text('last')])], 'last'],
  ['an assistant last', [user('hi'), assistant], null],
  ['a tool result last', [user('hi'), assistant, tool], null],
  ['no messages', undefined, null],
  ['only an image', [user([image])], null],
  ['an empty list', [user([])], null],
  ['a developer message last', [user('hi'), { role: 'developer', content: 'x' }], 'hi'],
]
for (const [name, list, expected] of chat) {
  test(`Chat: ${name}`, () => {
    const { prompt } = openaiChat.readRequest({ messages: list })
    assert.equal(prompt?.text ?? null, expected)
  })
}

const input = (value: unknown) => ({ type: 'input_text', text: value })
const responses: [string, unknown, string | null][] = [
  ['no input', undefined, null],
  ['null', null, null],
  ['an empty list', [], null],
  ['an empty string', '', ''],
  ['a string', 'hi', 'hi'],
  ['a number', 7, null],
  ['an empty content', [user('')], ''],
  ['an empty text', [user([input('')])], ''],
  ['two texts', [user([input('a'), input('b')])], 'a\nb'],
  ['a string content', [user('hi')], 'hi'],
  ['an assistant', [assistant], null],
  ['no content', [user()], null],
  ['null content', [user(null)], null],
  ['a number as content', [user(123)], null],
  ['only an image', [user([{ type: 'input_image' }])], null],
  ['a text that is none', [user([input(123)])], null],
  [
    'a user not last',
    [user('hi'), { type: 'function_call_output', call_id: 'c', output: '' }],
    null,
  ],
  ['a developer item last', [user('hi'), { role: 'developer', content: 'x' }], 'hi'],
  [
    'Codex: context before',
    [user([input(`<environment_context>x</environment_context>`)]), user([input('hello')])],
    'hello',
  ],
  ['Kilo: details behind', [user([input('hello'), input(details)])], 'hello'],
]
for (const [name, value, expected] of responses) {
  test(`Responses: ${name}`, () => {
    const { prompt } = openaiResponses.readRequest({ input: value })
    assert.equal(prompt?.text ?? null, expected)
  })
}

const compaction = 'CRITICAL: Respond with TEXT ONLY. Do NOT call any tools.'
const notification =
  '<system-reminder>\n[SYSTEM NOTIFICATION - NOT USER INPUT]\nx\n</system-reminder>'
const purposes: [string, unknown, string | null][] = [
  [
    'a title of Claude Code',
    { messages: [user('<session>\nhi\n</session>\n\nWrite the title')] },
    'title',
  ],
  [
    'a title of opencode',
    { messages: [user([text('Generate a title for this conversation:\n'), text('"hi"')])] },
    'title',
  ],
  [
    'a title of opencode in two messages',
    { messages: [user('Generate a title for this conversation:\n'), user('"hi"')] },
    'title',
  ],
  [
    'a title by its system prompt',
    { system: 'You are a title generator. You', messages: [user('hi')] },
    'title',
  ],
  [
    'a system prompt like a title’s, but tools',
    { system: 'You are a title generator. You', tools: [{}], messages: [user('hi')] },
    null,
  ],
  ['a compaction', { messages: [user(compaction)] }, 'compaction'],
  [
    'an enforcement',
    { messages: [user([text('[structured-output-enforce] You MUST')])] },
    'enforcement',
  ],
  ['a notification', { messages: [user([text(notification)])] }, 'notification'],
  ['a probe', { max_tokens: 1, messages: [user('quota')] }, 'probe'],
  [
    'the word of a probe with room for an answer',
    { max_tokens: 100, messages: [user('quota')] },
    null,
  ],
  ['a warm-up', { messages: [user('Warmup')] }, 'warmup'],
  ['words of the user', { messages: [user('hi')] }, null],
]
for (const [name, body, purpose] of purposes) {
  test(`purpose of ${name}`, () => {
    const request = anthropicMessages.readRequest(body)
    assert.equal(request.purpose, purpose)
    assert.equal(request.prompt === null, purpose !== null)
  })
}

test('a Responses request that wants nothing generated is a warm-up', () => {
  const request = openaiResponses.readRequest({ generate: false, input: [user('hi')] })
  assert.equal(request.purpose, 'warmup')
  assert.equal(request.prompt, null)
})

test('requests of real clients', { skip: needs('shared') }, async (t) => {
  const path = join(import.meta.dirname, '../../../../shared/clients/requests.json')
  const runs: Record<string, { method: string; url: string; body: unknown }[]> = JSON.parse(
    readFileSync(path, 'utf8'),
  )
  const asked: Record<string, (string | null)[]> = {
    'claude-code-2.1.330-print': ['Please run it [[tool]]', null],
    'claude-code-2.1.330-interactive': [
      'title',
      'please run it [[tool]]',
      null,
      'second prompt',
      'compaction',
      'compaction',
    ],
    'claude-code-2.1.330-subagent': [
      'hello [[use:Agent]][[args:{"description":"d","prompt":"sub hello","subagent_type":"general-purpose"}]]',
      null,
      'sub hello',
      'notification',
    ],
    'claude-code-2.1.330-continue': ['second hello [[tool]]', null],
    'claude-code-2.1.330-bearer': ['hello'],
    'claude-code-2.1.197-print': ['hello [[tool]]', null],
    'codex-0.169.0-own-provider': ['Please run it [[tool]]', null],
    'codex-0.169.0-builtin-ws-refused': ['hello [[tool]]', null],
    'codex-0.104.0-own-provider': ['hello [[tool]]', null],
    'copilot-1.0.102-anthropic': ['Please run it [[tool]]', null],
    'copilot-1.0.102-chat': ['Please run it [[tool]]', null],
    'copilot-1.0.102-responses': ['Please run it [[tool]]', null],
    'opencode-1.18.33-anthropic': ['title', '"Please run it [[tool]]"', null],
    'opencode-1.18.33-openai': ['title', '"Please run it [[tool]]"', null],
    'opencode-1.18.33-compatible': ['title', '"Please run it [[tool]]"', null],
    'kilo-7.7.7-anthropic': ['"Please run it [[tool]]"', null, 'title'],
    'kilo-7.7.7-openai': ['"Please run it [[tool]]"', null],
    'kilo-7.7.7-compatible': ['"Please run it [[tool]]"', null],
    'pi-0.73.1-anthropic': ['Please run it [[tool]]', null],
    'pi-0.73.1-responses': ['Please run it [[tool]]', null],
    'pi-0.73.1-chat': ['Please run it [[tool]]', null],
    'qwen-0.24.4': ['Please run it [[tool]]', null],
  }
  for (const [name, expected] of Object.entries(asked)) {
    await t.test(name, () => {
      const read = (runs[name] ?? []).flatMap(({ method, url, body }) => {
        const format = formatOf(url)
        return method === 'POST' && format ? [format.readRequest(body)] : []
      })
      assert.deepEqual(
        read.map(({ prompt, purpose }) => purpose ?? prompt?.text ?? null),
        expected,
      )
    })
  }
})

function formatOf(url: string) {
  const path = url.replace(/\?.*/, '')
  return [anthropicMessages, openaiChat, openaiResponses].find(({ name }) =>
    path.endsWith(
      {
        anthropic_messages: '/messages',
        openai_chat: '/completions',
        openai_responses: '/responses',
      }[name],
    ),
  )
}
