import { Argument, Command } from 'commander'
import { candidates } from './completion-candidates.ts'

/** `sluice completion SHELL`: a script that asks this program what may come next. */
export function completionCommand(program: () => Command): Command {
  return new Command('completion')
    .description('print a script that completes commands, flags and values')
    .addArgument(new Argument('<shell>', 'whose').choices(Object.keys(scripts)))
    .addHelpText('after', examples)
    .action((shell: string) => {
      process.stdout.write(scripts[shell] ?? '')
    })
    .addCommand(
      new Command('words')
        .description('say what may come next')
        .argument('[words...]', 'those so far, the last of which is to be completed')
        .helpOption(false)
        .action((words: string[]) => {
          process.stdout.write(
            candidates(program(), words)
              .map((word) => `${word}\n`)
              .join(''),
          )
        }),
      { hidden: true },
    )
}

const examples = `
Examples:
  source <(sluice completion bash)
  sluice completion zsh > ~/.zfunc/_sluice
  sluice completion fish > ~/.config/fish/completions/sluice.fish`

const scripts: Readonly<Record<string, string>> = {
  // A word with a colon or a sign of equality is several to bash.
  bash: `_sluice() {
  local IFS=$'\\n'
  COMPREPLY=($(sluice completion words -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
}
complete -o default -F _sluice sluice
`,
  zsh: `#compdef sluice
_sluice() {
  local -a found
  found=("\${(@f)$(sluice completion words -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  if [[ -n "\${found[1]}" ]]; then compadd -- "\${found[@]}"; else _files; fi
}
if [[ "\${funcstack[1]}" == _sluice ]]; then _sluice "$@"; else compdef _sluice sluice; fi
`,
  fish: `function __sluice_words
  set -l found (sluice completion words -- (commandline -opc)[2..-1] (commandline -ct) 2>/dev/null)
  if set -q found[1]; printf '%s\\n' $found; else; __fish_complete_path (commandline -ct); end
end
complete -c sluice -f -a '(__sluice_words)'
`,
}
