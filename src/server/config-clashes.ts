import type { Config, GivenSettings } from './config.ts'
import type { ConfigFile } from './config-file.ts'
import { identityClashes } from './config-identity.ts'
import { isLoopback } from './loopback.ts'
import { flagOf, type Settings } from './settings.ts'

const smallestJournal = 1024 ** 2

/** Settings that are fine by themselves and not together. */
export function clashes(config: Config, given: GivenSettings, file: ConfigFile): string[] {
  const place = (name: keyof Settings) => given.get(name)?.place ?? flagOf(name)
  const faults: string[] = []
  if (config.auth === 'none' && !isLoopback(config.host))
    faults.push(
      `${place('host')}: "${config.host}" can be reached by others, and auth is none: use 127.0.0.1, ::1 or localhost, or say who may use it with auth (tokens, jwt or header)`,
    )
  faults.push(...identityClashes(config, given, place))
  if (config.requireRecording && config.commitWait === 0)
    faults.push(`${place('requireRecording')}: needs a commit-wait longer than 0`)
  if (config.requireRecording && config.store === 'memory:')
    faults.push(`${place('requireRecording')}: needs a store that commits, such as sqlite:FILE`)
  if (config.workers > 1 && config.store === 'memory:')
    faults.push(
      `${place('workers')}: memory: is one process's own; several need sqlite:FILE or mongodb://…`,
    )
  if (config.workers > 1 && config.journalMax < config.workers * smallestJournal)
    faults.push(
      `${place('journalMax')}: is divided by ${config.workers} workers, and each needs 1MiB`,
    )
  if (config.structuredLogFile !== undefined && !config.structuredLogging)
    faults.push(`${place('structuredLogFile')}: needs structured-logging`)
  if (config.demo) {
    for (const name of ['anthropicBaseUrl', 'anthropicKey', 'openaiBaseUrl', 'openaiKey'] as const)
      if (given.has(name)) faults.push(`${place(name)}: --demo puts a simulated provider there`)
    if (file.providers !== undefined)
      faults.push(`${file.name}: providers: --demo brings simulated ones of its own`)
  }
  return faults
}
