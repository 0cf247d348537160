import { snakeKeys } from '../core/json.ts'
import { forTerminal } from './for-terminal.ts'
import type { StoreFlags } from './store-command.ts'

/** Writes a command's result: for people, or as JSON with names as everywhere outside the code. */
export function tell(
  { output }: Pick<StoreFlags, 'output'>,
  result: object,
  text: readonly string[],
): void {
  const lines = output === 'json' ? [forTerminal(JSON.stringify(snakeKeys(result), null, 2))] : text
  process.stdout.write(lines.map((line) => `${line}\n`).join(''))
}

/** `1 interception`, `2,000 interceptions`. */
export function counted(count: number, noun: string): string {
  return `${count.toLocaleString('en-US')} ${noun}${count === 1 ? '' : 's'}`
}
