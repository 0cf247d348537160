import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** Things that a test may need and a machine may lack; `.ci/run` names those that must be there. */
export type Need =
  | 'mongo'
  | 'agents'
  | 'prometheus'
  | 'otlp'
  | 'schemathesis'
  | 'zsh'
  | 'fish'
  | 'shared'

/** The folder with recorded exchanges, beside the project; not part of it. */
export const sharedFolder: string = fileURLToPath(new URL('../../../shared/', import.meta.url))

/** For `{ skip: needs('mongo', found) }`: false where it is there, else why the test is skipped. */
export function needs(
  name: Need,
  found: boolean = name === 'shared' && existsSync(sharedFolder),
): string | false {
  if (found) return false
  const demanded = (process.env.SLUICE_TEST_NEEDS ?? '').split(/[\s,]+/)
  if (demanded.includes(name))
    throw new Error(`SLUICE_TEST_NEEDS names "${name}", but it is not here`)
  return `needs ${name}, which this machine lacks`
}
