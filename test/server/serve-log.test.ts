import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { InterceptionRecord } from '../../src/core/records.ts'
import { serveLog } from '../../src/server/serve-log.ts'

test('an interception that ended is one line for people', async () => {
  const lines = await linesOf('text', [
    start(),
    usage(),
    tool('Bash'),
    tool('Read'),
    tool('Bash'),
    end(),
  ])
  assert.deepEqual(lines, [
    'alice  Claude Code  anthropic/claude-x  1,200 in (+5,900 cached), 85 out  tools: Bash ×2, Read  completed in 2.30 s',
  ])
})

test('a failure says why, and nothing is said of usage that nobody told', async () => {
  const failed = end({ outcome: 'failed', errorType: 'rate_limited', httpStatus: 429 })
  assert.deepEqual(await linesOf('text', [start({ model: '' }), failed]), [
    'alice  Claude Code  anthropic  failed (429 rate_limited) in 2.30 s',
  ])
})

test('in JSON the same are fields', async () => {
  const [fields] = await linesOf('json', [start(), usage(), tool('Bash'), end()])
  assert.deepEqual(fields, {
    interception_id: 'i1',
    initiator: 'alice',
    client: 'Claude Code',
    provider: 'anthropic',
    model: 'claude-x',
    input_tokens: 1200,
    output_tokens: 85,
    cache_read_input_tokens: 5000,
    cache_write_input_tokens: 900,
    tools: ['Bash'],
    outcome: 'completed',
    error_type: null,
    http_status: 200,
    duration_ms: 2300,
  })
})

test('a late record neither adds a line nor is kept', async () => {
  const late = { ...usage(), late: true } as InterceptionRecord
  assert.equal((await linesOf('text', [start(), end(), late])).length, 1)
})

async function linesOf(
  format: 'text' | 'json',
  records: readonly InterceptionRecord[],
): Promise<unknown[]> {
  const lines: unknown[] = []
  const plugin = serveLog({
    format,
    log: (_level, message, fields) => lines.push(format === 'json' ? fields : message),
  })
  // In two batches: records of one interception may come apart.
  await plugin.record?.(records.slice(0, 1))
  await plugin.record?.(records.slice(1))
  return lines
}

function start(members: object = {}): InterceptionRecord {
  const facts = { initiatorUsername: 'alice', client: 'Claude Code', providerName: 'anthropic' }
  return record('interception_start', { ...facts, model: 'claude-x', ...members })
}

function usage(): InterceptionRecord {
  const cache = { cacheReadInputTokens: 5000, cacheWriteInputTokens: 900 }
  return record('token_usage', { inputTokens: 1200, outputTokens: 85, ...cache })
}

function tool(name: string): InterceptionRecord {
  return record('tool_usage', { tool: name })
}

function end(members: object = {}): InterceptionRecord {
  const facts = { outcome: 'completed', errorType: null, httpStatus: 200, durationMs: 2300 }
  return record('interception_end', { ...facts, ...members })
}

function record(type: string, members: object): InterceptionRecord {
  return {
    type,
    id: 'r',
    interceptionId: 'i1',
    seq: 0,
    ...members,
  } as unknown as InterceptionRecord
}
