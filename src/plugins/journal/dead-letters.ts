import { randomUUID } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { open, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { messageOf } from '../../core/errors.ts'
import { parseJson } from '../../core/json.ts'
import type { Recorder } from '../../core/recorder.ts'
import type { InterceptionRecord } from '../../core/records.ts'
import { isStoreFault } from '../../core/store-fault.ts'

/** A record that the store refuses, and what it said. */
export interface DeadLetter {
  readonly setAsideAt: string
  readonly error: string
  readonly record: InterceptionRecord
}

const current = 'dead-letter.ndjson'

/** Adds to the file; they are on disk when it resolves. */
export async function writeDeadLetters(
  folder: string,
  letters: readonly DeadLetter[],
): Promise<void> {
  if (letters.length === 0) return
  const file = await open(join(folder, current), 'a+', 0o600)
  try {
    const { size } = await file.stat()
    const { buffer } = await file.read({ buffer: Buffer.alloc(1), position: Math.max(0, size - 1) })
    // A process that was killed may have left half a line.
    const begin = size > 0 && buffer.toString() !== '\n' ? '\n' : ''
    await file.appendFile(`${begin}${letters.map((letter) => JSON.stringify(letter)).join('\n')}\n`)
    await file.datasync()
  } finally {
    await file.close()
  }
}

/** The records of a journal's folder that the store refused, oldest first, each once. */
export async function deadLetters(folder: string): Promise<DeadLetter[]> {
  const letters = new Map<string, DeadLetter>()
  for (const path of deadLetterFiles(folder)) {
    const text = await readFile(path, 'utf8').catch(() => '')
    for (const line of text.split('\n')) {
      const letter = parseJson(line) as DeadLetter | undefined
      if (letter?.record?.id) letters.set(letter.record.id, letter)
    }
  }
  return [...letters.values()]
}

/**
 * Offers them to the store once more, one by one. Those that it refuses again, or cannot take now, stay.
 * The recorder has to be open.
 */
export async function retryDeadLetters(
  folder: string,
  recorder: Pick<Recorder, 'record'>,
): Promise<{ readonly stored: number; readonly left: readonly DeadLetter[] }> {
  // Out of the way first: a gateway that runs may set another aside meanwhile.
  const taken = await takeAway(folder)
  const letters = await deadLetters(folder)
  const left: DeadLetter[] = []
  let away: unknown
  for (const letter of letters) {
    const error = away ?? (await refusal(recorder, letter.record))
    if (error === undefined) continue
    if (isStoreFault(error)) away = error
    left.push(away ? letter : { ...letter, error: messageOf(error) })
  }
  await writeDeadLetters(folder, left)
  for (const path of taken) await rm(path, { force: true })
  return { stored: letters.length - left.length, left }
}

/** Goes through the letters: null removes one. Those that another process adds meanwhile stay as they are. */
export async function sweepDeadLetters(
  folder: string,
  change: (record: InterceptionRecord) => InterceptionRecord | null,
): Promise<void> {
  const before = await deadLetters(folder)
  if (before.every(({ record }) => change(record) === record)) return
  const taken = await takeAway(folder)
  const letters = await deadLetters(folder)
  const left = letters.flatMap((letter) => {
    const record = change(letter.record)
    return record ? [{ ...letter, record }] : []
  })
  await writeDeadLetters(folder, left)
  for (const path of taken) await rm(path, { force: true })
}

/** Puts the letters out of the way of who adds to them. */
async function takeAway(folder: string): Promise<string[]> {
  const taken: string[] = []
  for (const path of deadLetterFiles(folder)) {
    const away = join(folder, `dead-letter-retry-${randomUUID()}.ndjson`)
    if (path.endsWith(`/${current}`)) await rename(path, away)
    taken.push(path.endsWith(`/${current}`) ? away : path)
  }
  return taken
}

/** All files with dead letters, oldest first; also those of a retry that was killed. */
export function deadLetterFiles(folder: string): string[] {
  return readdirSync(folder)
    .filter((name) => /^dead-letter.*\.ndjson$/.test(name))
    .sort()
    .map((name) => join(folder, name))
}

async function refusal(
  recorder: Pick<Recorder, 'record'>,
  record: InterceptionRecord,
): Promise<unknown> {
  try {
    await recorder.record([record])
    return undefined
  } catch (error) {
    return error ?? new Error('unknown')
  }
}
