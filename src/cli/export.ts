import { type Command, Option } from 'commander'
import { SluiceError } from '../core/errors.ts'
import type { ExportFormat } from '../server/export.ts'
import { addFilterOptions, checkFilter, type FilterFlags, filterOf } from './filter-options.ts'
import { forTerminal } from './for-terminal.ts'
import { progress } from './progress.ts'
import { type Source, type SourceFlags, withSource } from './source.ts'
import { sourceCommand } from './source-command.ts'
import { counted } from './tell.ts'
import { writeOut } from './write-out.ts'

interface Flags extends Omit<SourceFlags, 'output'>, FilterFlags {
  readonly format: ExportFormat
  readonly out?: string
}

/** `sluice export`: interceptions as text, however many there are. */
export function exportCommand(): Command {
  const command = sourceCommand({
    name: 'export',
    description: 'write interceptions out, the oldest first, as lines of JSON or as CSV',
    examples: [
      'sluice export > interceptions.ndjson',
      'sluice export --format csv --started-after 2026-01-01 --out january.csv',
      "sluice export --initiator alice --tool Bash | jq '.tool_usages[].input'",
      'sluice export --url https://sluice.example --out interceptions.ndjson',
    ],
  })
    .addOption(
      new Option('--format <format>', 'ndjson: all that is recorded; csv: a row with sums')
        .choices(['ndjson', 'csv'])
        .default('ndjson'),
    )
    .option('--out <file>', 'into this file, for its owner alone (default: standard output)')
  return addFilterOptions(command).action((flags: Flags) => {
    checkFilter(flags)
    return withSource({ ...flags }, (source) => exportFrom(source, flags))
  })
}

async function exportFrom(source: Source, flags: Flags): Promise<void> {
  const filter = filterOf(flags, source.me)
  // On a terminal the lines themselves are to be seen.
  const isSeen = flags.out !== undefined || !process.stdout.isTTY
  const total = await totalOf(() => source.interceptions({ ...filter, limit: 1 }))
  const line = progress('interceptions', total, isSeen)
  try {
    const { format } = flags
    let damaged = 0
    const onDamaged = (records: number) => {
      damaged += records
    }
    const text = await source.exported({ filter, format, onProgress: line.tell, onDamaged })
    await writeOut(flags.out === undefined ? shown(text) : text, flags.out)
    if (damaged > 0)
      throw new SluiceError(
        `${counted(damaged, 'record')} could not be read and were left out: sluice verify says more`,
        { code: 'ERR_DAMAGED' },
      )
  } finally {
    line.end()
  }
}

async function* shown(text: AsyncIterable<string>): AsyncGenerator<string, void> {
  for await (const piece of text) yield forTerminal(piece)
}

/** Counted only where somebody looks. */
async function totalOf(
  count: () => Promise<{ readonly count: number }>,
): Promise<number | undefined> {
  return process.stderr.isTTY ? (await count()).count : undefined
}
