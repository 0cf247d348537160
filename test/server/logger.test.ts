import assert from 'node:assert/strict'
import { PassThrough } from 'node:stream'
import { test } from 'node:test'
import { createLogger, type LoggerOptions } from '../../src/server/logger.ts'

test('a JSON line is one object whose fields cannot displace its own', () => {
  const { logger, lines } = setUp({ format: 'json' })
  logger.log('warn', 'store away', { level: 'x', message: 'y', error: new Error('why'), n: 1 })
  logger.say('text for people')
  const [line, ...others] = lines().map((text) => JSON.parse(text) as Record<string, unknown>)
  assert.equal(others.length, 0)
  assert.match(String(line?.timestamp), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
  assert.deepEqual(
    { ...line, timestamp: '' },
    { timestamp: '', level: 'warn', message: 'store away', error: { message: 'why' }, n: 1 },
  )
})

test('a text line stays one line, whatever a stranger’s name holds', () => {
  const { logger, lines } = setUp({ format: 'text' })
  logger.log('info', 'alice\u001b[31m\nfaked line')
  logger.log('error', 'broken', { plugin: 'mine', count: 2 })
  const [first, second, ...others] = lines()
  assert.match(String(first), /^\d\d:\d\d:\d\d alice \[31m faked line$/)
  assert.match(String(second), /^\d\d:\d\d:\d\d error broken plugin=mine count=2$/)
  assert.equal(others.length, 0)
})

test('what is below the level is left out', () => {
  const { logger, lines } = setUp({ level: 'warn' })
  logger.log('info', 'no')
  logger.log('error', 'yes')
  assert.equal(lines().length, 1)
})

function setUp(options: LoggerOptions) {
  const target = new PassThrough()
  const lines = () =>
    String(target.read() ?? '')
      .trimEnd()
      .split('\n')
  return { logger: createLogger({ ...options, target }), lines }
}
