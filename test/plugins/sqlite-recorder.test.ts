import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sqliteRecorder } from '../../src/plugins/sqlite-recorder.ts'
import { recorderContract } from './recorder-contract.ts'

const folder = mkdtempSync(join(tmpdir(), 'sluice-'))
process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
let stores = 0

recorderContract({
  name: 'the SQLite recorder',
  create: () => sqliteRecorder({ path: join(folder, `${stores++}`, 'sluice.db') }),
})
