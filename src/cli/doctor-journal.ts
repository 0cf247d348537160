import { existsSync, readdirSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Config } from '../server/config.ts'
import { error, type Finding, ok, warning } from './finding.ts'
import { counted } from './tell.ts'

/** What waits on this machine for a store on the network. */
export async function journalFindings(config: Config): Promise<Finding[]> {
  if (!config.store.startsWith('mongodb')) return []
  const folder = resolve(config.journal)
  if (!existsSync(folder)) return [ok('journal', 'nothing waits')]
  const { deadLetters } = await import('../plugins/journal.ts')
  const letters = await deadLetters(folder)
  const damaged = readdirSync(folder).filter((name) => name.endsWith('.damaged')).length
  return [
    ...(letters.length > 0
      ? [
          warning(
            'journal',
            `the store refused ${counted(letters.length, 'record')}: ${letters[0]?.error}`,
            'sluice journal status says why, sluice journal retry offers them again',
          ),
        ]
      : []),
    ...(damaged > 0
      ? [
          error(
            'journal',
            `${counted(damaged, 'damaged file')} set aside in ${folder}`,
            'look at the disk; then move them away (docs/journal.md)',
          ),
        ]
      : []),
    ...(letters.length + damaged === 0 ? [ok('journal', `${folder}: nothing was refused`)] : []),
  ]
}
