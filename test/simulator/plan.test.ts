import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { isObject, type JsonObject } from '../../src/core/json.ts'
import { anthropicMessages } from '../../src/simulator/anthropic-messages.ts'
import { openaiChat } from '../../src/simulator/openai-chat.ts'
import { openaiResponses } from '../../src/simulator/openai-responses.ts'
import { answerTo } from '../../src/simulator/plan.ts'
import { toolArguments } from '../../src/simulator/tool-arguments.ts'
import { needs, sharedFolder } from '../support/needs.ts'

const fields = { type: 'object', properties: { path: { type: 'string' } }, required: ['path'] }
const shell = { type: 'object', properties: { command: { type: 'string' } }, required: ['command'] }

function called(prompt: string, tools: Record<string, JsonObject>, more: JsonObject = {}) {
  const question = anthropicMessages.question({
    model: 'm',
    tools: Object.entries(tools).map(([name, input_schema]) => ({ name, input_schema })),
    messages: [{ role: 'user', content: prompt }],
    ...more,
  })
  return answerTo(question).calls.map(({ name }) => name)
}

const agent = { Bash: shell, Read: fields, Write: fields, mcp__files__stat: fields }

test('a tool is called that the prompt names, or a shell where it asks to run something', () => {
  assert.deepEqual(called('Use the Read tool.', agent), ['Read'])
  assert.deepEqual(called('try mcp__files__stat now', agent), ['mcp__files__stat'])
  assert.deepEqual(called('please run it', agent), ['Bash'])
  assert.deepEqual(called('list the files here', agent), ['Bash'])
  assert.deepEqual(called('use the Read tool and the Write tool', agent), ['Read', 'Write'])
})

test('everyday words that are also names of tools call none', () => {
  assert.deepEqual(called('write a poem that I can read', agent), [])
})

test('without a shell a shared word is enough', () => {
  assert.deepEqual(called('How is the weather in Oslo?', { get_weather: fields }), ['get_weather'])
})

test('the choice of tools in the request is followed', () => {
  const choice = (tool_choice: JsonObject) => ({ tool_choice })
  assert.deepEqual(called('hi', agent, choice({ type: 'tool', name: 'Read' })), ['Read'])
  assert.deepEqual(called('hi', agent, choice({ type: 'any' })), ['Bash'])
  assert.deepEqual(called('please run it', agent, choice({ type: 'none' })), [])
  const single = choice({ type: 'auto', disable_parallel_tool_use: true })
  assert.deepEqual(called('use the Read tool and the Write tool', agent, single), ['Read'])
})

test('arguments fit the schema, with the prompt’s own numbers and paths, and shells do no harm', () => {
  const schema = {
    type: 'object',
    $defs: { unit: { enum: ['km', 'mi'] } },
    properties: {
      command: { type: 'array', items: { type: 'string' } },
      file_path: { type: 'string' },
      count: { type: ['integer', 'null'] },
      unit: { $ref: '#/$defs/unit' },
      deep: {
        anyOf: [{ type: 'null' }, { type: 'object', properties: { on: { type: 'boolean' } } }],
      },
      extra: { type: 'string' },
    },
    required: ['command', 'file_path', 'count', 'unit', 'deep'],
  }
  assert.deepEqual(toolArguments(schema, 'look at src/a.ts 7 times'), {
    command: ['echo', 'hello'],
    file_path: 'src/a.ts',
    count: 7,
    unit: 'km',
    deep: { on: false },
  })
  const endless = { type: 'object', properties: { next: { $ref: '#' } } }
  assert.ok(toolArguments(endless, ''))
})

test('titles and summaries are answered as such, without a call', () => {
  const ask = (content: string, system = '') =>
    answerTo(
      anthropicMessages.question({ model: 'm', system, messages: [{ role: 'user', content }] }),
    )
  assert.equal(
    ask('"Repair the old boat"', 'You are a title generator.').text,
    'Repair the old boat',
  )
  const compaction = 'CRITICAL: Respond with TEXT ONLY. Do NOT call any tools. Run nothing.'
  assert.deepEqual(called(compaction, agent), [])
  assert.match(ask(compaction).text, /<summary>/)
})

test('each recorded agent gets a call for its first request and a last word for the tool’s result', {
  skip: needs('shared'),
}, () => {
  const runs: Record<string, { url: string; body?: unknown }[]> = JSON.parse(
    readFileSync(`${sharedFolder}clients/requests.json`, 'utf8'),
  )
  const formats = [
    ['/messages', anthropicMessages],
    ['/chat/completions', openaiChat],
    ['/responses', openaiResponses],
  ] as const
  let firsts = 0
  let lasts = 0
  for (const [run, requests] of Object.entries(runs)) {
    for (const { url, body } of requests) {
      const format = formats.find(([path]) => url.replace(/\?.*/, '').endsWith(path))?.[1]
      if (!format || !isObject(body)) continue
      const question = format.question({ ...body, tools: withSchemas(body.tools) })
      const { calls, text } = answerTo(question)
      assert.ok(text, `${run} got no text`)
      if (question.results.length > 0) {
        lasts++
        assert.equal(calls.length, 0, `${run} goes round in circles`)
      } else if (/^"?(please )?run it/i.test(question.prompt) && question.tools.length > 0) {
        firsts++
        assert.equal(calls.length, 1, `${run} calls no tool`)
        assert.match(calls[0]?.name ?? '', /bash|exec_command|run_shell_command/i)
      }
    }
  }
  assert.ok(firsts >= 15 && lasts >= 25, `${firsts} first requests, ${lasts} results`)
})

/** The recording kept the tools' names alone, and those of Chat without their envelope. */
function withSchemas(tools: unknown): unknown {
  if (!Array.isArray(tools)) return tools
  return tools.map((tool: { type?: string; name?: string }) => {
    const described = { ...tool, input_schema: shell, parameters: shell }
    return tool.type === 'function' ? { ...described, function: described } : described
  })
}
