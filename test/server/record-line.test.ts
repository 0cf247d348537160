import { equal } from 'node:assert/strict'
import { test } from 'node:test'
import type { InterceptionRecord } from '../../src/core/records.ts'
import { structuredLogger } from '../../src/plugins/structured-logger.ts'
import { recordLine } from '../../src/server/record-line.ts'
import { capturingLogger } from '../support/log-lines.ts'

const place = { id: 'id-1', interceptionId: 'id-0', seq: 3, createdAt: '2026-01-15T10:30:00.123Z' }
const records = [
  { type: 'prompt_usage', ...place, prompt: 'Wie "spät" ist\n es? \ud800 ⏰', msgId: 'msg_1' },
  {
    type: 'token_usage',
    ...place,
    inputTokens: 12,
    cost: 1.5e-7,
    none: null,
    metadata: { a: [1] },
  },
  { type: 'tool_usage', ...place, input: '{}', invocationError: null, injected: false },
  {
    type: 'made_up',
    ...place,
    level: 'a',
    message: 'b',
    late: true,
    undef: undefined,
    nan: Number.NaN,
  },
] as unknown as readonly InterceptionRecord[]

test('a line is what the plugin that others use makes of the record, whatever is told of content', async () => {
  for (const content of ['full', 'redacted', 'omit'] as const) {
    const { logger, texts } = capturingLogger()
    await structuredLogger({ logger, content }).record?.(records)
    equal(texts.length, records.length)
    for (const [index, record] of records.entries()) {
      equal(untimed(recordLine(record, content)), untimed(texts[index] ?? ''))
    }
  }
})

function untimed(line: string): string {
  return line.trimEnd().replace(/"timestamp":"[^"]+"/, '"timestamp":""')
}
