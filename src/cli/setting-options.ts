import { type Command, Option } from 'commander'
import { flagOf, type Settings, settings } from '../server/settings.ts'

/** Adds a flag for each setting, from its one definition. Values stay text: `readConfig` judges them. */
export function addSettingOptions(command: Command, names: readonly (keyof Settings)[]): Command {
  for (const name of names) {
    const { placeholder, fallback, help, list } = settings[name]
    const shown = !fallback ? help : `${help} (default: ${fallback})`
    if (placeholder === undefined) {
      command.addOption(new Option(`${flagOf(name)} [true|false]`, shown))
      command.addOption(new Option(`--no-${flagOf(name).slice(2)}`).hideHelp())
    } else {
      const option = new Option(`${flagOf(name)} <${placeholder}>`, shown)
      if (list) option.argParser((text, before?: string) => (before ? `${before},${text}` : text))
      command.addOption(option)
    }
  }
  // Collected, so that they are told together with all other faults.
  return command.allowUnknownOption().allowExcessArguments()
}
