import { parseJson } from '../../core/json.ts'

/**
 * How far somebody has read the feed: to which time, and of each process that told something lately to which
 * number. What a process tells shows in its order, that of several processes a moment late at times.
 */
export interface Cursor {
  readonly time: number
  readonly told: Readonly<Record<string, number>>
  /** When each told its last. */
  readonly seen: Readonly<Record<string, number>>
}

export function writeCursor({ time, told, seen }: Cursor, store: string): string {
  const processes = Object.entries(told).map(([feeder, number]) => [
    feeder,
    number,
    time - (seen[feeder] ?? time),
  ])
  return Buffer.from(JSON.stringify([store, time, processes])).toString('base64url')
}

/** Null where it is not of this store. */
export function readCursor(text: string, store: string): Cursor | null {
  const parsed = parseJson(Buffer.from(text, 'base64url').toString())
  if (!Array.isArray(parsed)) return null
  const [named, time, processes] = parsed as unknown[]
  if (named !== store || typeof time !== 'number' || !Array.isArray(processes)) return null
  const told: Record<string, number> = {}
  const seen: Record<string, number> = {}
  for (const [feeder, number, ago] of processes as unknown[][]) {
    told[String(feeder)] = Number(number)
    seen[String(feeder)] = time - Number(ago)
  }
  return { time, told, seen }
}
