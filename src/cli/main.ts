#!/usr/bin/env -S node --max-semi-space-size=16
import './node-version.ts'
import { readFileSync } from 'node:fs'
import { Command } from 'commander'
import { messageOf } from '../core/errors.ts'
import { completionCommand } from './completion.ts'
import { configCommand } from './config.ts'
import { doctorCommand } from './doctor.ts'
import { eraseCommand } from './erase.ts'
import { exportCommand } from './export.ts'
import { forTerminal } from './for-terminal.ts'
import { refuseHelpOfNothing } from './help-of-nothing.ts'
import { importCommand } from './import.ts'
import { interceptionsCommand } from './interceptions.ts'
import { journalCommand } from './journal.ts'
import { migrateCommand } from './migrate.ts'
import { pruneCommand } from './prune.ts'
import { reindexCommand } from './reindex.ts'
import { serveCommand } from './serve.ts'
import { sessionsCommand } from './sessions.ts'
import { statsCommand } from './stats.ts'
import { tailCommand } from './tail.ts'
import { tokensCommand } from './tokens.ts'
import { usersCommand } from './users.ts'
import { verifyCommand } from './verify.ts'

const program: Command = new Command('sluice')
  .description('A gateway for AI traffic: every stream passes untouched, what it was is kept.')
  .version(version(), '-V, --version', 'print the version')
  .helpOption('-h, --help', 'show help')
  .addCommand(serveCommand())
  .addCommand(interceptionsCommand())
  .addCommand(sessionsCommand())
  .addCommand(statsCommand())
  .addCommand(tailCommand())
  .addCommand(exportCommand())
  .addCommand(importCommand())
  .addCommand(migrateCommand())
  .addCommand(pruneCommand())
  .addCommand(eraseCommand())
  .addCommand(verifyCommand())
  .addCommand(reindexCommand())
  .addCommand(journalCommand())
  .addCommand(usersCommand())
  .addCommand(tokensCommand())
  .addCommand(doctorCommand())
  .addCommand(configCommand())
  .addCommand(completionCommand(() => program))
  .addCommand(
    new Command('aibridge')
      .description('the same commands under their older name')
      .addCommand(interceptionsCommand())
      .addCommand(sessionsCommand()),
  )
  .addHelpText(
    'after',
    `
Examples:
  sluice serve
  sluice serve --demo
  sluice interceptions list --limit 5 --output table
  sluice doctor`,
  )

for (const command of everyCommand(program))
  command
    .showHelpAfterError('(add --help for what there is)')
    .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, 'sluice: ')) })

let lost: unknown
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  // Whoever reads our output may have seen enough (`| head`).
  if (error.code === 'EPIPE') return
  lost = error
  process.exitCode = 1
  process.stderr.write(`sluice: standard output cannot be written: ${error.message}\n`)
})

refuseHelpOfNothing(program, process.argv.slice(2))
try {
  await program.parseAsync()
} catch (error) {
  if (error !== lost)
    process.stderr.write(forTerminal(`sluice: ${messageOf(error)}\n`, process.stderr.isTTY))
  // A server that could not start may have left a worker behind that would keep us alive.
  process.exit(1)
}

function everyCommand(command: Command): Command[] {
  return [command, ...command.commands.flatMap(everyCommand)]
}

function version(): string {
  const file = readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
  return (JSON.parse(file) as { version: string }).version
}
