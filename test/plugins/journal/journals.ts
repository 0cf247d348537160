import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, type TestContext } from 'node:test'
import { Diagnostics, type LogLevel } from '../../../src/core/diagnostics.ts'
import type { Store } from '../../../src/core/store.ts'
import {
  type JournaledStore,
  type JournalOptions,
  journaled,
} from '../../../src/plugins/journal.ts'

const folder = mkdtempSync(join(tmpdir(), 'sluice-journal-'))
after(() => rmSync(folder, { recursive: true, force: true }))
let folders = 0

/** A folder that is not there yet. */
export function newFolder(): string {
  return join(folder, `${folders++}`, 'journal')
}

/** The journal's own files in a folder. */
export function filesIn(dir: string): string[] {
  return readdirSync(dir).filter((name) => name.endsWith('.journal'))
}

export interface Opened {
  readonly journal: JournaledStore
  readonly diagnostics: Diagnostics
  readonly lines: { level: LogLevel; message: string; fields: Record<string, unknown> }[]
}

/** An open journal before a recorder, closed when the test ends. */
export async function openJournal(
  t: TestContext,
  recorder: Store,
  options: JournalOptions,
): Promise<Opened> {
  const lines: Opened['lines'] = []
  const diagnostics = new Diagnostics((level, message, fields = {}) =>
    lines.push({ level, message, fields }),
  )
  const journal = journaled(recorder, { backOff: [5, 20], ...options })
  t.after(() => journal.close())
  await journal.open({ diagnostics })
  return { journal, diagnostics, lines }
}
