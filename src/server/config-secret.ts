import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { messageOf } from '../core/errors.ts'

/** The secret in a file, less the line end that editors leave. Faults are noted, the secret never. */
export function readSecret(
  path: string,
  place: string,
  faults: string[],
  folder = '.',
): string | undefined {
  try {
    const secret = readFileSync(resolve(folder, path), 'utf8').trim()
    if (secret !== '') return secret
    faults.push(`${place}: the file ${path} is empty`)
  } catch (error) {
    faults.push(`${place}: cannot read the file (${messageOf(error)})`)
  }
  return undefined
}
