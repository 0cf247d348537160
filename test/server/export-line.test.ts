import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { interceptionId } from '../../src/core/ids.ts'
import type { StoredInterception } from '../../src/core/recorder.ts'
import type { InterceptionRecord } from '../../src/core/records.ts'
import { storedInterception } from '../../src/core/stored-interception.ts'
import { interceptionDetail } from '../../src/server/api/interception-shape.ts'
import { exportLine } from '../../src/server/export-line.ts'
import { importLine } from '../../src/server/import-line.ts'
import { end, stamp, start, usage, wholeInterception } from '../support/stored-records.ts'

test('a line brings back every record as it was', () => {
  const records = wholeInterception()
  assert.deepEqual(byId(importLine(exportLine(assembled(records)))), byId(records))
})

test('whatever records hold comes back, and the same records make the same line', () => {
  fc.assert(
    fc.property(history(), (records) => {
      const line = exportLine(assembled(records))
      const back = importLine(line)
      assert.deepEqual(byId(back), byId(plain(records)))
      assert.ok(exportLine(assembled(back)) === line)
      // Members in another order are the same record.
      const turned = records.map(
        (record) => Object.fromEntries(Object.entries(record).reverse()) as never,
      )
      assert.ok(exportLine(assembled(turned)) === line)
    }),
    { numRuns: 300 },
  )
})

test('a line is what the API tells of an interception, and more', () => {
  const stored = assembled(wholeInterception({ initiatorName: 'Nobody' }))
  const line = JSON.parse(exportLine(stored)) as Record<string, unknown>
  const detail = JSON.parse(JSON.stringify(interceptionDetail(stored))) as Record<string, unknown>
  for (const [name, value] of Object.entries(detail)) assertHolds(line[name], value, name)
})

test('one that still runs has no end, before and after', () => {
  const id = interceptionId()
  const running = assembled([start(id), usage(id, { seq: 1, outputTokens: 2 })])
  const line = exportLine(running)
  assert.match(line, /"ended_at":null/)
  assert.equal(assembled(importLine(line)).end, null)
  assert.equal(exportLine(assembled(importLine(line))), line)
})

test('what is no line of an export is told by what is wrong with it', () => {
  const line = JSON.parse(exportLine(assembled(wholeInterception()))) as Line
  const other = interceptionId()
  const [usage] = line.token_usages
  const cases: [unknown, RegExp][] = [
    ['{"id":', /is no JSON/],
    [[], /is no JSON object/],
    [{}, /^id: Invalid input/],
    [{ ...line, id: 'x' }, /^id: must be a UUID/],
    [{ ...line, id: other }, /is of another interception/],
    [{ ...line, outcome: 'fine' }, /^outcome: /],
    [{ ...line, started_at: '2026-01-15' }, /^started_at: must be a time such as/],
    [
      { ...line, token_usages: [{ ...usage, input_tokens: '1' }] },
      /^token_usages.0.input_tokens: /,
    ],
    [{ ...line, token_usages: [usage, usage] }, /is the id of two records/],
    [{ ...line, records: [{ ...usage, record_type: 'token_usage' }] }, /has a list of its own/],
    [{ ...line, end_record: undefined }, /^end_record: /],
    [{ ...line, end_record: null }, /^ended_at: /],
  ]
  for (const [bad, message] of cases) {
    const text = typeof bad === 'string' ? bad : JSON.stringify(bad)
    assert.throws(() => importLine(text), { code: 'ERR_IMPORT_LINE', message }, text.slice(0, 80))
  }
})

interface Line {
  readonly token_usages: readonly object[]
}

function assembled(records: readonly InterceptionRecord[]): StoredInterception {
  return storedInterception(records) as StoredInterception
}

/** As JSON: what is undefined is not there. */
function plain<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T
}

function byId(records: readonly InterceptionRecord[]): readonly InterceptionRecord[] {
  return records.toSorted((a, b) => (a.id < b.id ? -1 : 1))
}

/** What the API leaves out or empties is allowed to be more. */
function assertHolds(whole: unknown, part: unknown, path: string): void {
  if (typeof part !== 'object' || part === null) {
    assert.equal(part === '' && whole === null ? '' : whole, part, path)
    return
  }
  for (const [name, value] of Object.entries(part))
    assertHolds((whole as Record<string, unknown>)[name], value, `${path}.${name}`)
}

/** The records of one interception, with what plugins and strangers may have put in. */
function history(): fc.Arbitrary<InterceptionRecord[]> {
  const name = fc.oneof(
    fc.constantFrom('tookMs', 'took_ms', 'took__ms', '_x', 'Type', 'recordType', 'verbatim', '1'),
    fc.constantFrom('__proto__', 'constructor', 'provider_response_id', 'msgId', 'a-b', 'ABC', ''),
    fc.string({ maxLength: 6, unit: 'grapheme' }),
  )
  // By way of JSON, as from a store: no undefined, no -0.
  const value = fc.jsonValue({ maxDepth: 2 }).map((it) => plain(it))
  const own = fc
    .array(fc.tuple(name, value), { maxLength: 5 })
    .map((members) => Object.fromEntries(members.filter(([it]) => !stamped.has(it))))
  const marks = fc.record(
    {
      late: fc.constant(true as const),
      truncated: fc.constant(['rawPrompt']),
      truncatedFrom: fc.constant({ rawPrompt: { bytes: 9, sha256: 'x' } }),
    },
    { requiredKeys: [] },
  )
  return fc
    .tuple(fc.array(own, { maxLength: 3 }), marks, marks, fc.dictionary(name, value), fc.boolean())
    .map(([others, mark, endMark, metadata, ended]) => {
      const records = wholeInterception({ metadata, initiatorName: ended ? 'A' : null })
      const id = records[0]?.interceptionId as string
      const whole = [
        ...records.slice(0, -1).map((record) => ({ ...record, ...mark })),
        ...others.map((body, index) => ({
          ...body,
          ...stamp(id, 'stranger', String(index), 20 + index),
          type: 'stranger',
        })),
        ...(ended ? [{ ...end(id, {}, 50), ...endMark, ...(mark.late && { reaped: true }) }] : []),
      ]
      return whole as unknown as InterceptionRecord[]
    })
}

const stamped = new Set(['id', 'interceptionId', 'seq', 'createdAt', 'type'])
