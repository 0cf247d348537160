import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, test } from 'node:test'
import { z } from 'zod'
import { answers } from '../src/plugins/answers.ts'
import { cost } from '../src/plugins/cost.ts'
import { structuredLogger } from '../src/plugins/structured-logger.ts'
import { startGateway } from './support/gateway.ts'
import { capturingLogger, type LoggedLine } from './support/log-lines.ts'
import { routes } from './support/questions.ts'
import { rawCall } from './support/raw-client.ts'
import { wholeInterception } from './support/stored-records.ts'

const schema = JSON.parse(
  readFileSync(new URL('../docs/records.schema.json', import.meta.url), 'utf8'),
) as { $defs: Record<string, object> }
const checks = new Map(
  Object.entries(schema.$defs).map(([type, each]) => [type, z.fromJSONSchema(each as never)]),
)
const page = readFileSync(new URL('../docs/records.md', import.meta.url), 'utf8')

function check(line: LoggedLine): string {
  const type = String(line.record_type)
  const result = checks.get(type)?.safeParse(line)
  assert.ok(result?.success, `${JSON.stringify(line)}: ${result?.error?.message}`)
  return type
}

for (const content of ['full', 'redacted', 'omit'] as const) {
  test(`every line of the structured log with content ${content} fits the schema of its type`, async () => {
    const { logger, lines } = capturingLogger()
    const gateway = await startGateway({
      plugins: [answers(), structuredLogger({ logger, content })],
      capture: { price: cost(), resultContent: true },
    })
    after(() => gateway.close())
    const replies = [{}, { status: 429 }, { cut: 5 }]
    for (const { path, ask } of Object.values(routes)) {
      for (const reply of replies) {
        for (const stream of [true, false]) {
          gateway.upstream.next(reply)
          await rawCall(gateway.port, { path, body: { ...ask, stream } })
        }
      }
    }
    for (const { id } of await gateway.interceptions()) await gateway.ended(id)
    await structuredLogger({ logger, content }).record?.(wholeInterception())
    const types = new Set(lines.map(check))
    assert.deepEqual(types, new Set(checks.keys()))
  })
}

test('a member that is not in the schema does not fit, nor does one that lacks', async () => {
  const { logger, lines } = capturingLogger()
  await structuredLogger({ logger }).record?.(wholeInterception())
  for (const line of lines) {
    assert.throws(() => check({ ...line, surprise: 1 }))
    assert.throws(() => check({ ...line, created_at: undefined }))
  }
})

test('the page on records names each type and each of its fields', () => {
  for (const [type, each] of Object.entries(schema.$defs)) {
    assert.ok(page.includes(type), type)
    const { properties } = each as { properties: object }
    for (const name of Object.keys(properties)) {
      if (['timestamp', 'level', 'message'].includes(name)) continue
      assert.ok(page.includes(`\`${name}\``), `${type}.${name}`)
    }
  }
})
