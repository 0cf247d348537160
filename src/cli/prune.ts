import { type Command, Option } from 'commander'
import { SluiceError } from '../core/errors.ts'
import type { PruneQuery, Store } from '../core/store.ts'
import { pruneLimits, timeBefore } from '../server/retention.ts'
import { progress } from './progress.ts'
import { type StoreFlags, storeCommand } from './store-command.ts'
import { counted, tell } from './tell.ts'
import { readAge, readPastTime } from './times.ts'
import { withStore } from './with-store.ts'

interface Flags extends StoreFlags {
  readonly before?: string
  readonly olderThan?: number
  readonly contentOlderThan?: number
  readonly dryRun?: boolean
}

/** `sluice prune`: what the running gateway does by itself, now and with other limits. */
export function pruneCommand(): Command {
  return storeCommand({
    name: 'prune',
    description:
      'forget what is older than the retention, or than you say; also while a gateway runs',
    examples: [
      'sluice prune --dry-run',
      'sluice prune --older-than 30d',
      'sluice prune --content-older-than 7d --store sqlite:./sluice-data/sluice.db',
    ],
    settings: ['store', 'journal'],
  })
    .addOption(
      new Option('--before <time>', 'interceptions that started before')
        .argParser(readPastTime)
        .conflicts('olderThan'),
    )
    .addOption(
      new Option('--older-than <duration>', 'interceptions that started longer ago').argParser(
        readAge,
      ),
    )
    .addOption(
      new Option(
        '--content-older-than <duration>',
        'of older ones what people and models wrote; names, counts and usage stay',
      ).argParser(readAge),
    )
    .option('--dry-run', 'only say what would go')
    .action((flags: Flags) =>
      withStore(flags, ({ store, config }) => prune(store, flags, config), { journal: true }),
    )
}

async function prune(
  store: Store,
  flags: Flags,
  config: Parameters<typeof pruneLimits>[0],
): Promise<void> {
  const limits = limitsOf(flags, config)
  const { dryRun = false } = flags
  const sum = { interceptions: 0, contents: 0 }
  const line = progress('interceptions pruned')
  try {
    for (let done = false; !done; ) {
      const report = await store.prune({ ...limits, ...(dryRun ? { dryRun } : { budget: 1000 }) })
      if (report.busy) {
        throw new SluiceError('another process is pruning this store: try again when it has done', {
          code: 'ERR_BUSY',
        })
      }
      sum.interceptions += report.interceptions
      sum.contents += report.contents
      line.tell(sum.interceptions + sum.contents)
      done = report.done || dryRun
    }
  } finally {
    line.end()
  }
  tell(flags, { ...limits, ...sum, dryRun }, texts(limits, sum, dryRun))
}

/** What flags say, alone; else what the settings say. */
function limitsOf(
  { before, olderThan, contentOlderThan }: Flags,
  config: Parameters<typeof pruneLimits>[0],
): Pick<PruneQuery, 'before' | 'contentBefore'> {
  const now = Date.now()
  const given = {
    ...(before !== undefined && { before }),
    ...(olderThan !== undefined && { before: timeBefore(now, olderThan) }),
    ...(contentOlderThan !== undefined && { contentBefore: timeBefore(now, contentOlderThan) }),
  }
  if (Object.keys(given).length > 0) return given
  const limits = pruneLimits(config, now)
  if (Object.keys(limits).length > 0) return limits
  throw new SluiceError(
    'retention is 0, all is kept for ever: name a limit with --before, --older-than or --content-older-than',
    { code: 'ERR_NO_LIMIT' },
  )
}

function texts(
  { before, contentBefore }: Pick<PruneQuery, 'before' | 'contentBefore'>,
  { interceptions, contents }: { readonly interceptions: number; readonly contents: number },
  dryRun: boolean,
): string[] {
  const verb = dryRun ? 'would be' : 'were'
  return [
    ...(before
      ? [`${counted(interceptions, 'interception')} from before ${before} ${verb} removed`]
      : []),
    ...(contentBefore
      ? [
          `the content of ${counted(contents, 'interception')} from before ${contentBefore} ${verb} removed`,
        ]
      : []),
  ]
}
