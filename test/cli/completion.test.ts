import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { runCommand, workFolder } from '../support/gateway-process.ts'
import { needs } from '../support/needs.ts'

const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))

/** What is typed, and what it is after the tabulator. */
const typed: readonly (readonly [line: string, becomes: string])[] = [
  ['sluice inter', 'sluice interceptions '],
  ['sluice interceptions l', 'sluice interceptions list '],
  ['sluice interceptions list --outp', 'sluice interceptions list --output '],
  ['sluice interceptions list --output nd', 'sluice interceptions list --output ndjson '],
  ['sluice interceptions list --output=nd', 'sluice interceptions list --output=ndjson '],
  ['sluice users set-role bob a', 'sluice users set-role bob auditor '],
  // What no command knows is a file.
  ['sluice export --out some-f', 'sluice export --out some-file '],
  ['sluice import some-f', 'sluice import some-file '],
]

test('fish completes commands, flags, values and files', {
  skip: needs('fish', isHere('fish')),
}, async () => {
  const { folder, env } = await shellFolder('fish', 'sluice.fish')
  for (const [line, becomes] of typed) {
    const script = `source sluice.fish; complete -C '${line}'`
    const found = execFileSync('fish', ['--no-config', '-c', script], {
      cwd: folder,
      env,
      encoding: 'utf8',
    })
    const [word = ''] = becomes.trim().split(' ').slice(-1)
    assert.ok(found.split('\n').includes(word), `${line}: ${found}`)
  }
})

test('zsh completes commands, flags, values and files', {
  skip: needs('zsh', isHere('zsh')),
}, async () => {
  const { folder, env } = await shellFolder('zsh', 'functions/_sluice')
  // A shell at a terminal, in which the key tells what the line has become.
  writeFileSync(
    join(folder, 'setup'),
    `PROMPT= RPROMPT= PATH='${env.PATH}'
    fpath=(${folder}/functions $fpath)
    autoload -Uz compinit
    compinit -u -D
    tell() { zle complete-word; zle -I; print -r -- "became<$BUFFER>" }
    zle -N tell
    bindkey '^I' tell
    print is ready`,
  )
  const script = `zmodload zsh/zpty
    zpty -b shell zsh -f -i
    zpty -w shell 'source ./setup'
    zpty -r shell text '*is ready*'
    for line in "$@"; do
      zpty -w -n shell $'\\C-u'$line$'\\t'
      zpty -r shell text '*became<*>*'
      text=\${text##*became<}
      print -r -- "\${text%>*}"
    done
    zpty -d shell`
  const lines = typed.map(([line]) => line)
  const options = { cwd: folder, env, encoding: 'utf8', timeout: 60_000 } as const
  const told = execFileSync('zsh', ['-f', '-c', script, 'zsh', ...lines], options)
  assert.deepEqual(
    told
      .trimEnd()
      .split('\n')
      .map((line) => line.trim()),
    typed.map(([, becomes]) => becomes.trim()),
  )
})

/** A folder with `sluice` in its path, the script of a shell, and a file. */
async function shellFolder(shell: string, file: string) {
  const folder = workFolder()
  writeFileSync(join(folder, 'sluice'), `#!/bin/sh\nexec "${process.execPath}" "${main}" "$@"\n`)
  chmodSync(join(folder, 'sluice'), 0o755)
  mkdirSync(join(folder, 'functions'))
  writeFileSync(join(folder, file), (await runCommand(['completion', shell])).stdout)
  writeFileSync(join(folder, 'some-file'), '')
  const PATH = `${folder}${delimiter}${process.env.PATH}`
  return { folder, env: { PATH, HOME: folder, TERM: 'xterm' } }
}

function isHere(program: string): boolean {
  return (process.env.PATH ?? '').split(delimiter).some((each) => existsSync(join(each, program)))
}
