import { type Command, Option } from 'commander'
import type { ExportFormat } from '../server/export.ts'
import { addFilterOptions, type FilterFlags, filterOf } from './filter-options.ts'
import { progress } from './progress.ts'
import { type StoreFlags, storeCommand } from './store-command.ts'
import { type OpenStore, withStore } from './with-store.ts'
import { writeOut } from './write-out.ts'

interface Flags extends Omit<StoreFlags, 'output'>, FilterFlags {
  readonly format: ExportFormat
  readonly out?: string
}

/** `sluice export`: interceptions as text, however many there are. */
export function exportCommand(): Command {
  const command = storeCommand({
    name: 'export',
    description: 'write interceptions out, the oldest first, as lines of JSON or as CSV',
    examples: [
      'sluice export > interceptions.ndjson',
      'sluice export --format csv --started-after 2026-01-01 --out january.csv',
      "sluice export --initiator alice --tool Bash | jq '.tool_usages[].input'",
    ],
    output: false,
  })
    .addOption(
      new Option('--format <format>', 'ndjson: all that is recorded; csv: a row with sums')
        .choices(['ndjson', 'csv'])
        .default('ndjson'),
    )
    .option('--out <file>', 'into this file, for its owner alone (default: standard output)')
  return addFilterOptions(command).action((flags: Flags) =>
    withStore(flags, (open) => exportFromStore(open, flags)),
  )
}

async function exportFromStore({ store, config }: OpenStore, flags: Flags): Promise<void> {
  // Only now: other commands need not load it.
  const { exportText } = await import('../server/export.ts')
  const filter = filterOf(flags, config.user)
  const line = progress(
    'interceptions',
    await totalOf(() => store.interceptions({ ...filter, limit: 1 })),
  )
  try {
    const text = exportText({ store, filter, format: flags.format, onProgress: line.tell })
    await writeOut(text, flags.out)
  } finally {
    line.end()
  }
}

/** Counted only where somebody looks. */
async function totalOf(
  count: () => Promise<{ readonly count: number }>,
): Promise<number | undefined> {
  return process.stderr.isTTY ? (await count()).count : undefined
}
