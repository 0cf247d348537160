import type { Command, Option } from 'commander'

/** What the last word may become, after those before it: from the very commands that are run. */
export function candidates(program: Command, words: readonly string[]): string[] {
  const before = words.slice(0, -1)
  const last = words.at(-1) ?? ''
  let command = program
  let open: Option | undefined
  let given = 0
  for (const word of before) {
    // To bash a sign of equality is a word of its own.
    if (open && word === '=') continue
    if (open) open = undefined
    else if (word.startsWith('-')) open = takingValue(command, word)
    else {
      const below = command.commands.find((each) => each.name() === word)
      if (below) command = below
      else given++
    }
  }
  const begun = open && last === '=' ? '' : last
  const [, flag, value = ''] = /^(--[^=]+)=(.*)$/.exec(begun) ?? []
  const joined = flag === undefined || open ? undefined : takingValue(command, flag)
  if (joined) return startingWith(value, valuesOf(joined)).map((each) => `${flag}=${each}`)
  return startingWith(begun, possible(command, { open, begun, given }))
}

function startingWith(begun: string, words: readonly string[]): string[] {
  return words.filter((word) => word.startsWith(begun))
}

interface Place {
  /** The flag whose value this is. */
  readonly open: Option | undefined
  readonly begun: string
  /** Arguments so far. */
  readonly given: number
}

function possible(command: Command, { open, begun, given }: Place): readonly string[] {
  if (open) return valuesOf(open)
  if (begun.startsWith('-')) {
    const flags = command.createHelp().visibleOptions(command)
    return flags.flatMap(({ long }) => long ?? [])
  }
  const names = command
    .createHelp()
    .visibleCommands(command)
    .map((each) => each.name())
  const own = names.filter((name) => name !== 'help' || command.parent === null)
  return [...own, ...(command.registeredArguments[given]?.argChoices ?? [])]
}

/** Nothing follows a switch, or what has its value behind a sign of equality. */
function takingValue(command: Command, word: string): Option | undefined {
  return command.options.find(
    (option) => option.required && [option.short, option.long].includes(word),
  )
}

/** A setting's are in its placeholder. */
function valuesOf({ argChoices, flags }: Option): readonly string[] {
  if (argChoices) return argChoices
  const [, placeholder = ''] = /<([^>]*)>/.exec(flags) ?? []
  return placeholder.includes('|') ? placeholder.split('|') : []
}
