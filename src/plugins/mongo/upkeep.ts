import { randomUUID } from 'node:crypto'
import type { InterceptionRecord } from '../../core/records.ts'
import { within } from '../../core/within.ts'
import { admitted } from './admitted.ts'
import type { Collections } from './collections.ts'
import type { Connection } from './connection.ts'
import { digest } from './digester.ts'
import { link, linkingNews } from './linker.ts'
import type { Feeder } from './made-digest.ts'
import type { RecordWriter } from './record-writer.ts'
import { remove } from './remove.ts'
import { roll } from './roll.ts'
import { Turns } from './turns.ts'

/** How many are made anew at a time. */
const atOnce = 8
/** How many a look around brings. */
const perSweep = 1000
/** A document that costs a second is made anew every 20 seconds. */
const rest = 20

/**
 * Writes records, and keeps what is made from them up to date: digests with each batch; sessions and sums once a
 * second, or when somebody asks.
 */
export class Upkeep {
  readonly #connection: Connection
  readonly #writer: RecordWriter
  readonly #turns = new Turns()
  readonly #feeder: Feeder
  /** What is to be made anew, and not before when. */
  readonly #dirty = new Map<string, number>()
  readonly #tired = new Map<string, number>()
  #seen = new Set<string>()
  #first: Promise<void> | null = null

  constructor(connection: Connection, writer: RecordWriter) {
    this.#connection = connection
    this.#writer = writer
    const id = randomUUID().slice(0, 8)
    let last = 0
    this.#feeder = { id, next: () => ++last }
  }

  record(records: readonly InterceptionRecord[]): Promise<void> {
    return this.#connection.use(async (collections) => {
      const groups = await admitted(collections, records)
      if (groups.size === 0) return
      await this.#writer.write(collections.interceptions, groups)
      // After what they depend on is stored: of two gateways that write at once, the later one sees both.
      const linked = await link(collections.interceptions, linkingNews(groups))
      await this.digest(collections, [...new Set([...groups.keys(), ...linked])])
    })
  }

  /** Makes digests of what is stale among these anew. */
  digest(collections: Collections, ids: readonly string[]): Promise<void> {
    const onDirty = (marks: readonly string[]) => this.noteDirty(marks)
    return this.#turns.take(() => digest(ids, { collections, feeder: this.#feeder, onDirty }))
  }

  /** Forgets interceptions. */
  remove(
    collections: Collections,
    ids: readonly string[],
    why: 'pruned' | 'erased',
  ): Promise<void> {
    return this.#turns.take(async () => this.noteDirty(await remove(collections, ids, why)))
  }

  /** These are marked as dirty in the store; this process is to make them anew. */
  noteDirty(marks: Iterable<string>): void {
    for (const mark of marks) this.#dirty.set(mark, this.#tired.get(mark) ?? 0)
  }

  /** Resolves when what was left when it began is in the lists, or that takes long. */
  async ready(): Promise<void> {
    if (this.#first !== null) await within(this.#first, 2000)
  }

  /** Resolves when what this process wrote, and what was left when it began, shows in sessions and sums. */
  async settle(): Promise<void> {
    await this.ready()
    await this.#rollAll(Number.POSITIVE_INFINITY)
    // What is being made at the moment, too.
    await this.#turns.take(async () => {})
  }

  /** Looks for what was left undone before; who asks waits a while for it. */
  begin(): void {
    this.#first = null
    this.sweep().catch(() => {})
  }

  /** Makes what is dirty anew, if that does not take long: who opens the store next does the rest. */
  async end(): Promise<void> {
    if (this.#dirty.size > 0) await within(this.settle(), 1000)
  }

  /** What is due. */
  tick(): Promise<void> {
    return this.#rollAll(performance.now())
  }

  /**
   * Does what others left: at first all that is stale or dirty, later what has been so since the last look around.
   * Who is at it is given time to come to an end.
   */
  sweep(): Promise<void> {
    const sweep = this.#sweep(this.#first === null)
    this.#first ??= sweep
    return sweep
  }

  async #sweep(all: boolean): Promise<void> {
    await this.#connection.use(async (collections) => {
      const { interceptions, sessions, hours } = collections
      const read = { readPreference: 'primary' } as const
      for (;;) {
        const [stale, dirtySessions, dirtyHours] = await Promise.all([
          interceptions
            .find({ stale: true }, { ...read, projection: { rev: 1 } })
            .limit(perSweep)
            .toArray(),
          sessions
            .find(isDirty, { ...read, projection: { dirty: 1 } })
            .limit(perSweep)
            .toArray(),
          hours
            .find(isDirty, { ...read, projection: { dirty: 1 } })
            .limit(perSweep)
            .toArray(),
        ])
        const found = [
          ...stale.map(({ _id, rev }) => ({ mark: `i ${_id}`, state: rev })),
          ...dirtySessions.map(({ _id, dirty }) => ({ mark: `s ${_id}`, state: dirty })),
          ...dirtyHours.map(({ _id, dirty }) => ({ mark: `h ${_id}`, state: dirty })),
        ]
        const seen = this.#seen
        this.#seen = new Set(found.map(({ mark, state }) => `${mark} ${state}`))
        const left = found
          .filter(({ mark, state }) => all || seen.has(`${mark} ${state}`))
          .map(({ mark }) => mark)
        await this.#catchUp(collections, left)
        if (!all || left.length < perSweep) return
      }
    })
  }

  async #catchUp(collections: Collections, marks: readonly string[]): Promise<void> {
    const ids = marks.filter((mark) => mark.startsWith('i ')).map((mark) => mark.slice(2))
    if (ids.length > 0) {
      const news = { started: new Set(ids), called: new Map() }
      const linked = await link(collections.interceptions, news)
      await this.digest(collections, [...new Set([...ids, ...linked])])
    }
    for (const mark of marks) if (!mark.startsWith('i ')) this.#dirty.set(mark, 0)
    await this.#rollAll(Number.POSITIVE_INFINITY)
  }

  async #rollAll(now: number): Promise<void> {
    for (const [mark, end] of this.#tired) if (end <= performance.now()) this.#tired.delete(mark)
    const due = [...this.#dirty].filter(([, notBefore]) => notBefore <= now).map(([mark]) => mark)
    for (let from = 0; from < due.length; from += atOnce) {
      const marks = due.slice(from, from + atOnce)
      await this.#turns.take(() =>
        this.#connection.use((collections) => this.#roll(collections, marks)),
      )
    }
  }

  async #roll(collections: Collections, marks: readonly string[]): Promise<void> {
    const own = marks.filter((mark) => this.#dirty.delete(mark))
    if (own.length === 0) return
    const begin = performance.now()
    try {
      await roll(collections, own)
    } catch (error) {
      for (const mark of own) this.#dirty.set(mark, 0)
      throw error
    }
    const end = performance.now()
    if (end - begin < 1000 / rest) return
    for (const mark of own) this.#tired.set(mark, end + (end - begin) * rest)
  }
}

const isDirty = { dirty: { $exists: true } } as const
