import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after } from 'node:test'
import type { Recorder } from '../../../src/core/recorder.ts'
import { sqliteRecorder } from '../../../src/plugins/sqlite-recorder.ts'

const folder = mkdtempSync(join(tmpdir(), 'sluice-'))
after(() => rmSync(folder, { recursive: true, force: true }))
let stores = 0

/** A file for a store of its own, in a folder that is not there yet. */
export function newPath(): string {
  return join(folder, `${stores++}`, 'sluice.db')
}

export async function withRecorder(
  path: string,
  run: (recorder: Recorder) => Promise<void>,
): Promise<void> {
  const recorder = sqliteRecorder({ path })
  await recorder.open()
  try {
    await run(recorder)
  } finally {
    await recorder.close()
  }
}
