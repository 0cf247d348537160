import type { Command } from 'commander'

/** `help NAME` of a command that is not there: commander would show all that there is, and say nothing of the name. */
export function refuseHelpOfNothing(program: Command, args: readonly string[]): void {
  let command = program
  for (const [index, name] of args.entries()) {
    const find = (wanted: string) => command.commands.find((each) => each.name() === wanted)
    if (name === 'help') {
      const wanted = args[index + 1]
      if (wanted !== undefined && !wanted.startsWith('-') && wanted !== 'help' && !find(wanted))
        command.error(`error: unknown command '${wanted}'`)
      return
    }
    const next = find(name)
    if (!next) return
    command = next
  }
}
