import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import type { StoredInterception } from '../../core/recorder.ts'
import type { Store } from '../../core/store.ts'
import { type LiveEvent, liveEvent, noticeBytes } from './live-event.ts'
import type { LiveFeed, LiveListener } from './live-feed.ts'

export interface LiveReaderOptions {
  readonly live: LiveFeed
  readonly store: Pick<Store, 'feed'>
  readonly response: ServerResponse
  /** Where to go on. @default now */
  readonly after?: string | undefined
  readonly visibleTo?: string
  readonly wants: (interception: StoredInterception) => boolean
}

/** Bytes that may still wait for a reader when more comes; the same bytes wait for all. */
const mostBytes = 4 * 1024 ** 2
/** Events that may wait while a reader catches up. */
const mostQueued = 1000
/** Looks at a store that finds nothing for who asks, and may not be at its end. */
const mostLooks = 500
/** Events of a page while it catches up. */
const limit = 100
/** How long who was cut may take to read that it was. */
const lastWords = 30_000
/** Who may read is asked anew then: readers come back where they were. */
const longest = 30 * 60_000

/** One who follows the feed: what it has missed first, then what comes. */
export class LiveReader implements LiveListener {
  readonly #options: LiveReaderOptions
  readonly #response: ServerResponse
  /** What came while it caught up; null when it has. */
  #queue: LiveEvent[] | null = []
  #beats = 0
  /** What it was told while it caught up: the feed may come to that only later. */
  readonly #told = new Set<string>()
  #ended = false

  constructor(options: LiveReaderOptions) {
    this.#options = options
    this.#response = options.response
  }

  /** Resolves when it is over. Rejects where the store cannot be read, and nothing has been sent then. */
  async read(): Promise<void> {
    const { live, after } = this.#options
    const response = this.#response
    const closed = new Promise<void>((resolve) => response.once('close', resolve))
    void closed.then(() => live.leave(this))
    const now = await live.listen(this)
    if (response.destroyed) live.leave(this)
    response.writeHead(200)
    this.#write(Buffer.from(`retry: 2000\nid: ${after ?? now}\n\n`))
    const old = setTimeout(() => this.#end('come back for more'), longest).unref()
    try {
      if (after !== undefined) await this.#catchUp(after)
      for (let next = this.#queue?.shift(); next; next = this.#queue?.shift())
        if (!this.#told.has(keyOf(next))) await this.#tellSlowly(next)
      this.#queue = null
    } catch {
      // It comes back to where it was.
      this.#end('the store cannot be read at the moment')
    }
    await closed
    clearTimeout(old)
  }

  onEvents(events: readonly LiveEvent[]): void {
    const wanted = events.filter((event) => this.#isFor(event) && !this.#told.has(keyOf(event)))
    if (this.#queue) {
      if (this.#queue.length + wanted.length > mostQueued) this.#cut()
      else this.#queue.push(...wanted)
    } else if (wanted.length > 0 && this.#response.writableLength > mostBytes) this.#cut()
    else for (const event of wanted) this.#write(event.bytes())
  }

  onBeat(cursor: string): void {
    if (this.#queue) return this.#write(Buffer.from(': still here\n\n'))
    this.#write(Buffer.from(`: still here\nid: ${cursor}\n\n`))
    // At the second beat the feed has come to where it caught up.
    if (this.#beats++ > 0) this.#told.clear()
  }

  onGap(cursor: string): void {
    if (this.#queue === null) this.#write(noticeBytes('gap', gapMessage, cursor))
  }

  onClose(): void {
    this.#end('the gateway is going down: come back')
  }

  async #catchUp(after: string): Promise<void> {
    const { store, visibleTo } = this.#options
    let cursor = after
    for (let looks = 0; looks < mostLooks && !this.#ended; looks++) {
      const page = await store.feed({
        after: cursor,
        limit,
        ...(visibleTo !== undefined && { visibleTo }),
      })
      if (page.gap && cursor === after) this.#write(noticeBytes('gap', gapMessage))
      for (const each of page.results) {
        const event = liveEvent(each.cursor, each.interception)
        this.#remember(keyOf(event))
        if (this.#isFor(event)) await this.#tellSlowly(event)
      }
      if (page.results.length === limit) looks = 0
      // Of one user's own a store may look at so many places at once, and say where it is.
      else if (visibleTo === undefined || page.cursor === cursor) looks = mostLooks
      cursor = page.cursor
    }
    this.#write(Buffer.from(`id: ${cursor}\n\n`))
  }

  /** What comes twice is among the last ones. */
  #remember(key: string): void {
    this.#told.add(key)
    const [oldest] = this.#told
    if (oldest !== undefined && this.#told.size > 2 * mostQueued) this.#told.delete(oldest)
  }

  async #tellSlowly(event: LiveEvent): Promise<void> {
    this.#write(event.bytes())
    await this.#room()
  }

  async #room(): Promise<void> {
    const response = this.#response
    if (this.#ended || !response.writableNeedDrain) return
    const patience = AbortSignal.timeout(lastWords)
    const gone = once(response, 'close', { signal: patience })
    await Promise.race([once(response, 'drain', { signal: patience }), gone]).catch(() => {
      this.#cut()
    })
  }

  #isFor({ interception }: LiveEvent): boolean {
    const { visibleTo, wants } = this.#options
    const { initiatorId } = interception.start
    return (visibleTo ?? initiatorId) === initiatorId && wants(interception)
  }

  #write(bytes: Buffer): void {
    if (!this.#ended) this.#response.write(bytes)
  }

  #cut(): void {
    this.#end('you read too slowly: come back for what you missed')
  }

  #end(message: string): void {
    if (this.#ended) return
    this.#ended = true
    const response = this.#response
    this.#options.live.leave(this)
    response.end(noticeBytes('end', message))
    setTimeout(() => response.destroy(), lastWords).unref()
  }
}

const gapMessage = 'some of what ended meanwhile is no longer stored, and is not told'

/** Ended anew it is another event. */
function keyOf({ interception: { id, end } }: LiveEvent): string {
  return `${id} ${end?.outcome} ${end?.endedAt}`
}
