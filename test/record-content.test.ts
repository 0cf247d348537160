import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { after, test } from 'node:test'
import winston from 'winston'
import { answers } from '../src/plugins/answers.ts'
import { sqliteRecorder } from '../src/plugins/sqlite-recorder.ts'
import { logLine, structuredLogger } from '../src/plugins/structured-logger.ts'
import { newPath } from './plugins/sqlite/stores.ts'
import { startGateway } from './support/gateway.ts'
import { routes } from './support/questions.ts'
import { rawCall } from './support/raw-client.ts'

const word = 'canary-words'
const calls = [{ name: 'get_weather', namespace: undefined, input: { city: `${word} call` } }]
const answer = { thoughts: [`${word} thought`], text: `${word} answer`, calls }

/** A request whose prompt and tool result hold the word. */
const asked = {
  messages: (ask: object) => ({
    ...ask,
    messages: [
      { role: 'user', content: 'hello' },
      {
        role: 'assistant',
        content: [{ type: 'tool_use', id: 't', name: 'get_weather', input: {} }],
      },
      {
        role: 'user',
        content: [
          { type: 'tool_result', tool_use_id: 't', content: `${word} result` },
          { type: 'text', text: `${word} prompt` },
        ],
      },
    ],
  }),
  chat: (ask: object) => ({ ...ask, messages: [{ role: 'user', content: `${word} prompt` }] }),
  responses: (ask: object) => ({ ...ask, input: `${word} prompt` }),
}

/** All that a gateway with every recorder keeps and says of some requests, as one text. */
async function kept(recordContent: boolean): Promise<string> {
  const lines: string[] = []
  const stream = new (await import('node:stream')).Writable({
    write(chunk, _, done) {
      lines.push(String(chunk))
      done()
    },
  })
  const transports = [new winston.transports.Stream({ stream })]
  const path = newPath()
  const store = sqliteRecorder({ path })
  const gateway = await startGateway({
    recordContent,
    capture: { resultContent: true },
    plugins: [
      answers(),
      store,
      structuredLogger({ logger: winston.createLogger({ format: logLine, transports }) }),
    ],
  })
  after(() => gateway.close())
  for (const route of ['messages', 'chat', 'responses'] as const) {
    const { path, ask } = routes[route]
    for (const stream of [true, false]) {
      for (const reply of [{ answer }, { answer, cut: 3 }]) {
        gateway.upstream.next(reply)
        await rawCall(gateway.port, { path, body: { ...asked[route](ask), stream } })
      }
    }
  }
  const all = await Promise.all((await gateway.interceptions()).map(({ id }) => gateway.ended(id)))
  assert.equal(all.length, 12)
  const sum = (pick: (each: (typeof all)[number]) => readonly unknown[]) =>
    all.reduce((total, each) => total + pick(each).length, 0)
  // What is counted stays.
  assert.equal(
    sum(({ userPrompts }) => userPrompts),
    12,
  )
  assert.equal(
    sum(({ toolResults }) => toolResults),
    4,
  )
  assert.ok(sum(({ toolUsages }) => toolUsages) >= 6)
  assert.ok(sum(({ modelThoughts }) => modelThoughts) >= 4)
  assert.ok(sum(({ others }) => others) >= 6)
  assert.ok(sum(({ tokenUsages }) => tokenUsages) >= 6)
  await store.interceptions()
  const files = readdirSync(dirname(path), { withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ name }) => readFileSync(join(dirname(path), name), 'latin1'))
  return [JSON.stringify(all), ...lines, ...gateway.log, ...files].join('\n')
}

test('with record-content off nothing that people, tools or models wrote is kept', async () => {
  const text = await kept(false)
  assert.ok(text.includes('get_weather'))
  const at = text.indexOf(word)
  assert.equal(at, -1, text.slice(Math.max(0, at - 300), at + 60))
})

test('with record-content on each of it is', async () => {
  const text = await kept(true)
  for (const what of ['prompt', 'result', 'call', 'thought', 'answer'])
    assert.ok(text.includes(`${word} ${what}`), what)
})
