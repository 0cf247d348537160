import { Command } from 'commander'
import { SluiceError } from '../core/errors.ts'
import { positiveDuration } from '../server/units.ts'
import { type AccountFlags, accountAdmin } from './account-admin.ts'
import { accountOptions } from './account-options.ts'
import { printJson, printRows, type RowOutput } from './print-rows.ts'

interface Flags extends AccountFlags {
  readonly output: RowOutput
}

interface CreateFlags extends Flags {
  readonly expires?: string
  readonly name: string
}

const columns = ['username', 'name', 'hint', 'created_at', 'expires_at', 'last_used_at', 'id']

/** `sluice tokens …`: what the users of a gateway show it. */
export function tokensCommand(): Command {
  return new Command('tokens')
    .description('API tokens of users (auth: tokens)')
    .addCommand(
      accountOptions(new Command('create'))
        .description('create a token and print it, this once')
        .argument('<user>', 'who shall hold it')
        .option('--expires <duration>', 'after which it is refused, such as 90d (default: never)')
        .option('--name <label>', 'what it is for', '')
        .addHelpText('after', examples)
        .action(create),
    )
    .addCommand(
      accountOptions(new Command('list'))
        .description('list tokens, without what makes them tokens')
        .argument('[user]', 'only those of one user')
        .addHelpText('after', '\nExamples:\n  sluice tokens list\n  sluice tokens list alice')
        .action(async (username: string | undefined, flags: Flags) => {
          const admin = await accountAdmin(flags)
          try {
            printRows(await admin.tokens(username), columns, flags.output)
          } finally {
            await admin.close()
          }
        }),
    )
    .addCommand(
      accountOptions(new Command('revoke'), { output: false })
        .description('refuse a token from now on (at the latest after 30 s)')
        .argument('<id>', 'as tokens list shows it')
        .addHelpText(
          'after',
          '\nExamples:\n  sluice tokens revoke 9b1cbd26-daba-4771-a753-1975c71d7a58',
        )
        .action(async (id: string, flags: Flags) => {
          const admin = await accountAdmin(flags)
          try {
            await admin.revokeToken(id)
          } finally {
            await admin.close()
          }
        }),
    )
}

const examples = `
Examples:
  sluice tokens create alice
  sluice tokens create ci --expires 90d --name "nightly build"
  SLUICE_TOKEN=$(sluice tokens create alice)`

async function create(username: string, flags: CreateFlags): Promise<void> {
  const expiresIn = durationOf(flags.expires)
  const admin = await accountAdmin(flags)
  try {
    const created = await admin.createToken({ username, name: flags.name, expiresIn })
    if (flags.output === 'json') return printJson(created)
    process.stdout.write(`${created.token}\n`)
    process.stderr.write('It is shown this once: only its hash is kept.\n')
  } finally {
    await admin.close()
  }
}

function durationOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const read = positiveDuration.safeParse(text)
  if (read.success) return read.data
  throw new SluiceError(`--expires: ${read.error.issues[0]?.message}`, { code: 'ERR_EXPIRES' })
}
