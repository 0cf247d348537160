import { randomUUID } from 'node:crypto'
import { extname, resolve } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { Diagnostics } from '../core/diagnostics.ts'
import { messageOf, SluiceError } from '../core/errors.ts'
import type { Plugin, RecordingPlugin } from '../core/plugin.ts'
import { processId as ownProcessId } from '../core/process-id.ts'
import { isEssential } from '../core/record-content.ts'
import type { Recorder } from '../core/recorder.ts'
import type { InterceptionRecord } from '../core/records.ts'
import type { Store } from '../core/store.ts'
import { within } from '../core/within.ts'
import { writeDeadLetters } from './journal/dead-letters.ts'
import { ErasureWatch } from './journal/erasure-watch.ts'
import { tellNews } from './journal/file-news.ts'
import type { Forgetting, StraysTold } from './journal/forgetter.ts'
import type { Forgotten } from './journal/forgotten.ts'
import type { JournalRow } from './journal/journal-file.ts'
import type { Appended, ForgetWish, Shipment } from './journal/journal-folder.ts'
import type { Kept } from './journal/keeper.ts'
import { readRecord } from './journal/read-record.ts'
import { Shipper } from './journal/shipper.ts'
import type { Refused } from './journal/sift.ts'
import { erasuresOf, storeBehind } from './journal/store-behind.ts'
import { StoreWorker } from './sqlite/store-worker.ts'

export { type DeadLetter, deadLetters, retryDeadLetters } from './journal/dead-letters.ts'

export interface JournalOptions {
  /** The folder of the journal, for one store and any number of processes; it is made if need be. */
  readonly dir: string
  /** The most that this process's files may take on disk. @default 1 GiB */
  readonly maxBytes?: number
  /** Names this process's file. @default the process's own id */
  readonly processId?: string
  /** First and longest pause between tries while the store is away, in ms. @default [100, 10000] */
  readonly backOff?: readonly [first: number, longest: number]
  /** How long the store may take for a batch before it is opened anew, in ms. @default 60000 */
  readonly patience?: number
  /** How often files of dead processes are looked for, in ms. @default 60000 */
  readonly adoptEvery?: number
  /** How often the store is asked who was erased, in ms. @default 5000 */
  readonly forgetEvery?: number
}

/** A plugin behind a journal. */
export interface Journaled extends Plugin {
  /** What the journal takes on disk. */
  readonly journalBytes: number
  /** How many records wait for the store. */
  readonly journalRecords: number
  record: Recorder['record']
  open: Recorder['open']
  close: Recorder['close']
}

/** A recorder behind a journal. */
export interface JournaledRecorder extends Journaled, Recorder {
  record: Journaled['record']
}

/** A store behind a journal: what it forgets is forgotten there, too. */
export interface JournaledStore extends JournaledRecorder, Store {
  record: JournaledRecorder['record']
}

/**
 * Puts a journal on the local disk before a recorder: `record` resolves when the batch is on disk; it is stored
 * in the background, in order, at least once, and tried until it is. Whatever dies, it goes on from there.
 */
export function journaled(recorder: Store, options: JournalOptions): JournaledStore
export function journaled(recorder: Recorder, options: JournalOptions): JournaledRecorder
export function journaled(recorder: RecordingPlugin, options: JournalOptions): Journaled
export function journaled(
  recorder: Store | Recorder | RecordingPlugin,
  {
    dir,
    maxBytes = 1024 ** 3,
    processId = ownProcessId,
    backOff = [100, 10_000],
    patience = 60_000,
    adoptEvery = 60_000,
    forgetEvery = 5000,
  }: JournalOptions,
): Journaled {
  const path = resolve(dir)
  const name = `${processId}~${randomUUID().slice(0, 8)}`
  const keeper = new StoreWorker('keeper', { path, name, maxBytes }, keeperScript)
  const self = `journaled-${recorder.name}`
  let diagnostics = new Diagnostics(() => {})
  let shipper: Shipper | undefined
  let chores: readonly NodeJS.Timeout[] = []
  let isOpen = false
  let bytes = 0
  let waiting = 0
  let forgetting: Promise<unknown> = Promise.resolve()
  const store = 'sessions' in recorder ? recorder : null
  const watch =
    store?.erasures &&
    new ErasureWatch({
      folder: path,
      erasures: (among) => ask(() => erasuresOf(store, among)),
      forget,
      forgot,
    })

  async function call<T>(method: string, argument?: unknown): Promise<T> {
    // A thread that is asked after its end would begin the journal anew.
    if (!isOpen) throw notOpen()
    const kept = await keeper.call<Kept<T>>(method, argument)
    bytes = kept.bytes
    waiting = kept.waiting
    for (const news of kept.news) {
      if (news.type === 'adopted') watch?.again()
      tellNews(news, { diagnostics, recorder: self, folder: path })
    }
    return kept.result
  }

  async function lookAround(): Promise<void> {
    try {
      await call('adopt')
      shipper?.kick()
    } catch (error) {
      diagnostics.log('warn', `the journal's folder cannot be read: ${messageOf(error)}`)
    }
  }

  function notOpen(): SluiceError {
    return new SluiceError(`the journal ${path} is not open: call open() first`, {
      code: 'ERR_STORE_CLOSED',
    })
  }

  async function setAside(refused: readonly Refused[]): Promise<void> {
    const setAsideAt = new Date().toISOString()
    const letters = refused.map(({ record, error }) => ({
      setAsideAt,
      error: messageOf(error),
      record,
    }))
    await writeDeadLetters(path, letters)
    for (const { record, error } of letters)
      lost(
        'dead_letter',
        `${recorder.name} refuses a record: it is in dead-letter.ndjson`,
        record,
        {
          folder: path,
          error,
        },
      )
  }

  function report({ stripped, dropped }: Appended): void {
    if (stripped > 0) {
      diagnostics.count('records_dropped', { recorder: self, reason: 'content' }, stripped)
      diagnostics.log('error', 'the journal is full: content is given up', { records: stripped })
    }
    for (const body of dropped) {
      const record = readRecord(body)
      if (record) lost('journal_full', 'the journal is full: a record is given up', record)
      else unreadable(1)
    }
  }

  function unreadable(records: number): void {
    diagnostics.count('records_dropped', { recorder: self, reason: 'journal_damaged' }, records)
    diagnostics.log('error', 'what the disk has damaged in the journal is given up', {
      folder: path,
      records,
    })
  }

  function lost(reason: string, message: string, record: InterceptionRecord, more?: object): void {
    const { type: record_type, id, interceptionId: interception_id } = record
    diagnostics.count('records_dropped', { recorder: self, reason })
    diagnostics.logEach('error', message, { record_type, id, interception_id, ...more })
  }

  /** One at a time: each goes through the whole journal. */
  function forget(what: Forgotten): Promise<Forgetting> {
    const turn = forgetting.then(() =>
      passOver(what).catch((error: unknown) => {
        // A damaged file was replaced: what is saved of it is elsewhere now.
        if ((error as { code?: unknown }).code !== 'ERR_STORE_CORRUPT') throw error
        return passOver(what)
      }),
    )
    forgetting = turn.catch(() => {})
    return turn
  }

  async function passOver(what: Forgotten): Promise<Forgetting> {
    let told: StraysTold | undefined
    for (let anew = true; ; anew = false) {
      const wish: ForgetWish = { what, anew, ...(told && { told }) }
      const step = await call<Forgetting>('forget', wish)
      if (step.done) return step
      told = step.strays.length > 0 ? await whoseAre(step.strays) : undefined
    }
  }

  async function whoseAre(strays: readonly string[]): Promise<StraysTold> {
    if (!store) return { asked: strays, erased: [] }
    const { interceptions } = await ask(() => erasuresOf(store, strays))
    return { asked: strays, erased: interceptions }
  }

  function forgot(records: number): void {
    diagnostics.count('records_dropped', { recorder: self, reason: 'forgotten' }, records)
    diagnostics.log('info', 'records of a user who was erased went from the journal', { records })
  }

  async function lookWhoWasErased(): Promise<void> {
    // What cannot be done now is done the next time.
    if (shipper?.isOpen) await watch?.look().catch(() => {})
  }

  /** Passes a query on, where there is a store to ask. */
  function ask<T>(query: () => Promise<T>): Promise<T> {
    if (!shipper || shipper.isOpen) return query()
    const reason = shipper.fault ?? 'it is not open yet'
    return Promise.reject(
      new SluiceError(`the store behind the journal cannot be asked now: ${reason}`, {
        code: 'ERR_STORE_AWAY',
        status: 503,
      }),
    )
  }

  /** What a recorder does beside recording. */
  function recorderBehind(
    behind: Recorder,
  ): Pick<Recorder, 'interceptions' | 'interception' | 'reap'> {
    return {
      interceptions: (query) => ask(() => behind.interceptions(query)),
      interception: (id) => ask(() => behind.interception(id)),
      // What they left in the journal is stored first: it may hold their own ends.
      reap: async (processIds) => {
        await lookAround()
        for (let tries = 0; tries < 100 && (await call<number>('orphans')) > 0; tries++)
          await pause(100, undefined, { ref: false })
        if (shipper?.isOpen) await behind.reap?.(processIds)
      },
    }
  }

  return {
    ...(store && storeBehind({ store, folder: path, ask, forget })),
    ...('interceptions' in recorder && recorderBehind(recorder)),
    ...observerOf(recorder),
    name: self,
    durable: true,
    ...(recorder.provisional && { provisional: true as const }),
    get journalBytes() {
      return bytes
    },
    get journalRecords() {
      return waiting
    },
    record: async (records) => {
      if (!shipper) throw notOpen()
      const admitted = watch ? watch.admit(records) : records
      if (admitted.length === 0) return
      const shed = await call<Appended>('append', admitted.map(rowOf))
      report(shed)
      if (shed.fault) throw new SluiceError(shed.fault.message, shed.fault)
      if (shed.refused) {
        throw new SluiceError(
          `the journal ${path} is full (${maxBytes} bytes): bring its store back, or raise journal-max`,
          { code: 'ERR_JOURNAL_FULL' },
        )
      }
      shipper?.kick()
    },
    faults: () =>
      shipper?.fault ? [`${waiting} records wait in the journal: ${shipper.fault}`] : [],
    open: async (context) => {
      if (shipper) return
      diagnostics = context?.diagnostics ?? diagnostics
      isOpen = true
      await call('adopt')
      shipper = new Shipper({
        recorder,
        context: { diagnostics },
        next: (most) => call<Shipment | null>('next', most),
        shipped: ({ file, upTo }) => call('shipped', { file, upTo }),
        setAside,
        unreadable,
        backOff,
        patience,
      })
      shipper.kick()
      // So that what is asked right after the start finds the store open, if it is there.
      await within(shipper.tried, 1000)
      chores = [
        setInterval(() => void lookAround(), adoptEvery).unref(),
        ...(watch ? [setInterval(() => void lookWhoWasErased(), forgetEvery).unref()] : []),
      ]
      void lookWhoWasErased()
    },
    close: async () => {
      for (const chore of chores) clearInterval(chore)
      const closing = shipper
      shipper = undefined
      await closing?.stop(2000)
      isOpen = false
      try {
        await keeper.close()
      } finally {
        const closed = Promise.resolve(recorder.close?.())
        if (await within(closed, 2000)) await closed
      }
    },
  }
}

/** A plugin that watches, too, does so in front of the journal. */
function observerOf(plugin: Plugin): Pick<Plugin, 'observe' | 'observes'> {
  return {
    ...(plugin.observe && { observe: plugin.observe.bind(plugin) }),
    ...(plugin.observes && { observes: plugin.observes }),
  }
}

const keeperScript = new URL(`./journal/keeper${extname(import.meta.url)}`, import.meta.url)

function rowOf(record: InterceptionRecord): JournalRow {
  return [isEssential(record) ? 1 : 0, JSON.stringify(record)]
}
