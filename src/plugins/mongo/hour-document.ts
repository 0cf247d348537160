import type { Summary } from '../../core/summary.ts'
import type { Cell } from './cells.ts'
import { shortKey } from './short-key.ts'

/** The sums of what one initiator's interceptions used that started in one UTC hour. */
export interface HourDocument {
  /** Of hour and initiator. */
  readonly _id: string
  readonly dirty?: string
  readonly initiatorId?: string
  readonly hour?: Date
  /** As JSON text: strangers choose names of models and tools. */
  readonly cells?: string
}

export const hourMs: number = 60 * 60 * 1000

/** The beginning of the UTC hour. */
export function hourOf(time: Date): Date {
  return new Date(Math.floor(time.getTime() / hourMs) * hourMs)
}

export function hourKeyOf(initiatorId: string, time: Date): string {
  return `${hourOf(time).toISOString()} ${shortKey(initiatorId)}`
}

export function cellsIn({ cells }: HourDocument): readonly Cell[] {
  return JSON.parse(cells ?? '[]') as Cell[]
}

export function hourDocument(
  key: string,
  { initiatorId, startedAt }: Pick<Summary, 'initiatorId' | 'startedAt'>,
  cells: readonly Cell[],
): HourDocument {
  const hour = hourOf(new Date(startedAt))
  return { _id: key, initiatorId, hour, cells: JSON.stringify(cells) }
}
