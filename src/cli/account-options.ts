import { type Command, Option } from 'commander'

/** Where users are: the flags that every command on them has. */
export function accountOptions(
  command: Command,
  { output = true }: { readonly output?: boolean } = {},
): Command {
  command
    .option('--url <url>', 'ask the gateway there, as an owner (or SLUICE_URL and SLUICE_TOKEN)')
    .option('--store <url>', 'the store to work on, where no URL is given (or SLUICE_STORE)')
    .option('--config <file>', 'configuration file (or SLUICE_CONFIG)')
  if (output)
    command.addOption(
      new Option('--output <format>', 'how to print').choices(['table', 'json']).default('table'),
    )
  return command
}
