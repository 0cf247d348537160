import { Argument, Command, Option } from 'commander'
import { type Role, roles } from '../server/identity/caller.ts'
import { type AccountFlags, accountAdmin } from './account-admin.ts'
import { accountOptions } from './account-options.ts'
import { printJson, printRows, type RowOutput } from './print-rows.ts'

interface Flags extends AccountFlags {
  readonly output: RowOutput
}

const columns = ['username', 'role', 'created_at', 'id']

/** `sluice users …`: who may use a gateway with `auth` tokens, and who is more than a member with `header`. */
export function usersCommand(): Command {
  const role = new Argument('<role>', 'what the user may do').choices([...roles])
  return new Command('users')
    .description('who may use the gateway (auth: tokens)')
    .addCommand(
      accountOptions(new Command('add'))
        .description('add a user; on a store that is not there yet, too')
        .argument('<name>', 'of the user')
        .addOption(
          new Option('--role <role>', 'member: uses it; auditor: reads all; owner: manages users')
            .choices([...roles])
            .default('member'),
        )
        .addHelpText('after', examples)
        .action(async (name: string, flags: Flags & { readonly role: Role }) => {
          const admin = await accountAdmin(flags, { mayCreate: true })
          try {
            print(await admin.addUser(name, flags.role), flags)
          } finally {
            await admin.close()
          }
        }),
    )
    .addCommand(
      accountOptions(new Command('list'))
        .description('list all users')
        .addHelpText('after', '\nExamples:\n  sluice users list --output json')
        .action(async (flags: Flags) => {
          const admin = await accountAdmin(flags)
          try {
            printRows(await admin.users(), columns, flags.output)
          } finally {
            await admin.close()
          }
        }),
    )
    .addCommand(
      accountOptions(new Command('set-role'))
        .description('change what a user may do; tokens keep working')
        .argument('<name>', 'of the user')
        .addArgument(role)
        .addHelpText('after', '\nExamples:\n  sluice users set-role bob auditor')
        .action(async (name: string, wanted: Role, flags: Flags) => {
          const admin = await accountAdmin(flags)
          try {
            print(await admin.setRole(name, wanted), flags)
          } finally {
            await admin.close()
          }
        }),
    )
    .addCommand(
      accountOptions(new Command('remove'), { output: false })
        .description('remove a user and all tokens; what is recorded stays')
        .argument('<name>', 'of the user')
        .addHelpText(
          'after',
          '\nExamples:\n  sluice erase --initiator bob && sluice users remove bob',
        )
        .action(async (name: string, flags: Flags) => {
          const admin = await accountAdmin(flags)
          try {
            await admin.removeUser(name)
          } finally {
            await admin.close()
          }
        }),
    )
}

const examples = `
Examples:
  sluice users add alice --role owner && sluice tokens create alice
  SLUICE_TOKEN=… sluice users add bob --url https://sluice.example`

function print(user: Parameters<typeof printRows>[0][number], { output }: Flags): void {
  if (output === 'json') printJson(user)
  else printRows([user], columns, output)
}
