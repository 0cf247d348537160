import { Command, Option } from 'commander'
import type { Settings } from '../server/settings.ts'
import { addSettingOptions } from './setting-options.ts'

export interface StoreCommandOptions {
  readonly name: string
  readonly description: string
  /** Lines such as `sluice prune --dry-run`. */
  readonly examples: readonly string[]
  /** What says which store it is. */
  readonly settings?: readonly (keyof Settings)[]
  /** Its result can be told as JSON. @default true */
  readonly output?: boolean
}

/** A command that works on the store itself: which one, and how it answers, is said the same way everywhere. */
export function storeCommand({
  name,
  description,
  examples,
  settings = ['store'],
  output = true,
}: StoreCommandOptions): Command {
  const command = new Command(name)
    .description(description)
    .addOption(new Option('--config <file>', 'configuration file (or SLUICE_CONFIG)'))
    .addHelpText('after', `\nExamples:\n${examples.map((line) => `  ${line}`).join('\n')}`)
  if (output) {
    command.addOption(
      new Option('--output <format>', 'how the result is told')
        .choices(['text', 'json'])
        .default('text'),
    )
  }
  return addSettingOptions(command, settings).allowUnknownOption(false).allowExcessArguments(false)
}

/** Flags that every such command has. */
export interface StoreFlags {
  readonly output: 'text' | 'json'
  readonly config?: string
  readonly store?: string
  readonly journal?: string
}
