import type { Command } from 'commander'
import { SluiceError } from '../core/errors.ts'
import { storeCommand } from './store-command.ts'

export interface SourceCommandOptions {
  readonly name: string
  readonly description: string
  readonly examples: readonly string[]
}

/** A command that asks a running gateway, or the store itself: which one is said the same way everywhere. */
export function sourceCommand(options: SourceCommandOptions): Command {
  return storeCommand({ ...options, output: false }).option(
    '--url <url>',
    'ask the gateway there instead of opening the store (or SLUICE_URL and SLUICE_TOKEN)',
  )
}

/** A whole number of rows, in the words of the reference. */
export function limitOf(text: string | undefined, fallback = 100, most = 1000): number {
  const limit = text === undefined ? fallback : /^\d{1,9}$/.test(text) ? Number(text) : 0
  if (limit >= 1 && limit <= most) return limit
  throw new SluiceError(`limit value must be between 1 and ${most}`, { code: 'ERR_LIMIT' })
}
