import { createReadStream } from 'node:fs'
import type { Command } from 'commander'
import { SluiceError } from '../core/errors.ts'
import { printable } from '../server/printable.ts'
import { progress } from './progress.ts'
import { type StoreFlags, storeCommand } from './store-command.ts'
import { counted, tell } from './tell.ts'
import { type OpenStore, storeToMake, withStore } from './with-store.ts'

/** A file of another kind is faulty in every line. */
const toldFaults = 20

interface Flags extends StoreFlags {
  readonly dryRun?: boolean
}

/** `sluice import`: what `export` wrote, back into a store. */
export function importCommand(): Command {
  return storeCommand({
    name: 'import',
    description: 'store what export wrote as NDJSON; what is there already stays as it is',
    examples: [
      'sluice import interceptions.ndjson',
      'zcat interceptions.ndjson.gz | sluice import -',
      'sluice import interceptions.ndjson --dry-run',
    ],
  })
    .argument('<file>', 'a file, or - for standard input')
    .option('--dry-run', 'only judge the lines; no store is opened')
    .action((file: string, flags: Flags) => {
      // A store that is opened is made, or brought up to date: this leaves the disk as it is.
      if (flags.dryRun) return importFile({ name: storeToMake(flags) }, file, flags)
      return withStore(flags, (open) => importFile(open, file, flags), { create: true })
    })
}

async function importFile(
  { store, name }: Pick<OpenStore, 'name'> & Partial<OpenStore>,
  file: string,
  flags: Flags,
): Promise<void> {
  const { importText } = await import('../server/import.ts')
  const { dryRun = false } = flags
  const line = progress('interceptions')
  const input = file === '-' ? process.stdin : createReadStream(file)
  let faulty = 0
  const report = await importText({
    input,
    store,
    onProgress: line.tell,
    onFault: (number, message) => {
      faulty++
      if (faulty > toldFaults) return
      line.end()
      process.stderr.write(`sluice: line ${number}: ${printable(message)}\n`)
    },
  })
    .catch((error: unknown) => {
      // Of the file: the store's own faults name it.
      if (!(error instanceof Error && 'syscall' in error)) throw error
      throw new SluiceError(`${file} cannot be read: ${error.message}`, { code: 'ERR_IMPORT' })
    })
    .finally(line.end)
  if (faulty > toldFaults)
    process.stderr.write(`sluice: and ${counted(faulty - toldFaults, 'further line')}\n`)
  const { interceptions, faults, refused } = report
  const verb = dryRun ? 'could be' : 'were'
  tell(flags, { ...report, dryRun }, [
    `${counted(interceptions - refused, 'interception')} ${verb} imported into ${name}`,
    ...(refused > 0
      ? [
          `${counted(refused, 'interception')} ${verb} refused: older than its retention, or of a user who was erased`,
        ]
      : []),
  ])
  if (faults > 0)
    throw new SluiceError(`${counted(faults, 'line')} could not be imported`, {
      code: 'ERR_IMPORT',
    })
}
