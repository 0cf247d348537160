import assert from 'node:assert/strict'
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { interceptionId } from '../../../src/core/ids.ts'
import { isEssential } from '../../../src/core/record-content.ts'
import type { InterceptionRecord } from '../../../src/core/records.ts'
import { end, prompt, start, usage } from '../../support/stored-records.ts'
import { newFolder, openJournal } from './journals.ts'
import { moodyStore } from './moody-store.ts'

const maxBytes = 4 * 1024 ** 2

test('a full journal gives up content first, and stays within its bound', async (t) => {
  const dir = newFolder()
  const store = moodyStore()
  store.mood = 'away'
  const { journal, diagnostics } = await openJournal(t, store, { dir, maxBytes })
  const written: InterceptionRecord[] = []
  for (let index = 0; index < 200; index++) {
    const batch = interception('x'.repeat(40_000))
    written.push(...batch)
    await journal.record(batch)
    assert.ok(bytesIn(dir) <= maxBytes, `${bytesIn(dir)}`)
  }
  store.mood = 'up'
  await store.until(() => store.taken.length === written.length)
  assert.deepEqual(
    store.taken.map(({ id }) => id),
    written.map(({ id }) => id),
    'no record is missing',
  )
  const prompts = store.taken.filter((record) => record.type === 'prompt_usage')
  const bare = prompts.filter(({ truncated }) => truncated)
  assert.ok(bare.length > 90 && bare.length < 180, `${bare.length}`)
  assert.ok(bare.every(({ prompt }) => prompt === ''))
  assert.equal(prompts.at(-1)?.prompt.length, 40_000, 'the oldest went first')
  assert.equal(diagnostics.total('records_dropped', { reason: 'content' }), bare.length)
})

test('then other rows go, never a start, an end or usage; then it refuses', async (t) => {
  const dir = newFolder()
  const store = moodyStore()
  store.mood = 'away'
  const { journal, diagnostics, lines } = await openJournal(t, store, { dir, maxBytes })
  const accepted: InterceptionRecord[] = []
  let refusal: (Error & { code?: string }) | undefined
  while (!refusal && accepted.length < 40_000) {
    const batch = Array.from({ length: 25 }, () => interception('short')).flat()
    await journal.record(batch).then(
      () => accepted.push(...batch),
      (error) => {
        refusal = error
      },
    )
    assert.ok(bytesIn(dir) <= maxBytes, `${bytesIn(dir)}`)
  }
  assert.equal(refusal?.code, 'ERR_JOURNAL_FULL')
  assert.match(refusal?.message ?? '', /raise journal-max/)
  // A small one would fit, and would make the big ones look like bad records.
  await assert.rejects(journal.record([end(interceptionId())]), { code: 'ERR_JOURNAL_FULL' })

  store.mood = 'up'
  const last = accepted.findLast(isEssential)
  await store.until(() => store.taken.at(-1)?.id === last?.id)
  const taken = new Set(store.taken.map(({ id }) => id))
  assert.ok(accepted.filter(isEssential).every(({ id }) => taken.has(id)))
  const lost = accepted.filter(({ id }) => !taken.has(id))
  assert.ok(lost.length > 100)
  assert.equal(diagnostics.total('records_dropped', { reason: 'journal_full' }), lost.length)
  const told = new Set(lines.map(({ fields }) => fields.id))
  assert.ok(lost.every(({ id }) => told.has(id)))

  while (journal.journalRecords > 0) await new Promise((resolve) => setTimeout(resolve, 5))
  const after = interception('there is room again')
  await journal.record(after)
  await store.until(() => store.taken.some(({ id }) => id === after.at(-1)?.id))
})

test('what a dead process left counts towards the bound and gives way first', async (t) => {
  const dir = newFolder()
  const away = moodyStore()
  away.mood = 'away'
  const before = await openJournal(t, away, { dir, maxBytes })
  for (let index = 0; index < 60; index++)
    await before.journal.record(interception('a'.repeat(40_000)))
  await before.journal.close()
  const { journal } = await openJournal(t, away, { dir, maxBytes })
  for (let index = 0; index < 60; index++) {
    await journal.record(interception('b'.repeat(40_000)))
    assert.ok(bytesIn(dir) <= maxBytes, `${bytesIn(dir)}`)
  }
  away.mood = 'up'
  await away.until(() => away.taken.length === 120 * 4)
  const whole = away.taken.filter(
    (record) => record.type === 'prompt_usage' && record.prompt !== '',
  )
  const begin = new Set(whole.map((record) => ('prompt' in record ? record.prompt[0] : '')))
  assert.ok(begin.has('b'))
  assert.equal(whole.filter((record) => 'prompt' in record && record.prompt[0] === 'b').length, 60)
})

function interception(text: string): InterceptionRecord[] {
  const id = interceptionId()
  return [start(id), prompt(id, text), usage(id, { seq: 2, outputTokens: 5 }), end(id)]
}

function bytesIn(dir: string): number {
  return readdirSync(dir).reduce(
    (sum, name) => sum + (statSync(join(dir, name), { throwIfNoEntry: false })?.size ?? 0),
    0,
  )
}
