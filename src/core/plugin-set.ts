import type { Diagnostics } from './diagnostics.ts'
import { messageOf, SluiceError } from './errors.ts'
import type { Plugin } from './plugin.ts'
import { RecorderQueue } from './recorder-queue.ts'
import { within } from './within.ts'

const longestPauseMs = 60_000

/** The plugins of a gateway: opened, left out while they can't be, closed. */
export class PluginSet {
  /** One for each plugin that records. */
  readonly queues: readonly RecorderQueue[]
  readonly #plugins: readonly Plugin[]
  readonly #diagnostics: Diagnostics
  readonly #openWait: number
  readonly #opened = new Set<Plugin>()
  readonly #out = new Map<Plugin, string>()
  readonly #retries = new Set<NodeJS.Timeout>()
  #observers: readonly Plugin[]
  #openQueues: readonly RecorderQueue[]
  #opening: Promise<void> | undefined
  #isOpen = false
  #closed = false

  /** `openWait`: how long requests wait for a plugin that is not durable to open, in ms. */
  constructor(plugins: readonly Plugin[], diagnostics: Diagnostics, openWait = 5000) {
    const names = plugins.map(({ name }) => name)
    const twice = names.find((name, index) => names.indexOf(name) !== index)
    if (twice !== undefined) {
      throw new SluiceError(`two plugins are named "${twice}": give one another name`, {
        code: 'ERR_PLUGIN_NAME',
      })
    }
    this.#plugins = plugins
    this.#diagnostics = diagnostics
    this.#openWait = openWait
    this.queues = plugins
      .filter((plugin) => plugin.record)
      .map((plugin) => new RecorderQueue(plugin, diagnostics))
    this.#observers = plugins
    this.#openQueues = this.queues
  }

  /** The plugins that take part at the moment. */
  get observers(): readonly Plugin[] {
    return this.#observers
  }

  get openQueues(): readonly RecorderQueue[] {
    return this.#openQueues
  }

  /** True once all were opened, or left out: nothing is to be waited for. */
  get isOpen(): boolean {
    return this.#isOpen
  }

  /**
   * Opens all, once. Rejects where a durable plugin can't be opened, until a later call can; any other is left
   * out and tried again.
   */
  open(): Promise<void> {
    this.#opening ??= this.#openAll().catch((error) => {
      this.#opening = undefined
      throw error
    })
    return this.#opening
  }

  async close(): Promise<void> {
    this.#closed = true
    for (const timer of this.#retries) clearTimeout(timer)
    await Promise.all(this.queues.map((queue) => queue.close()))
    for (const plugin of this.#plugins) {
      try {
        const closed = Promise.resolve(plugin.close?.())
        if (!(await within(closed, 5000))) throw new Error('did not close within 5 s')
        await closed
      } catch (error) {
        this.#report(plugin, `could not be closed: ${messageOf(error)}`)
      }
    }
  }

  faults(): readonly string[] {
    const out = [...this.#out]
    return [
      ...out.map(([plugin, reason]) => `plugin ${plugin.name} is left out: ${reason}`),
      ...this.#plugins.flatMap((plugin) => this.#faultsOf(plugin)),
    ]
  }

  #faultsOf(plugin: Plugin): readonly string[] {
    try {
      return this.#out.has(plugin) ? [] : (plugin.faults?.() ?? [])
    } catch (error) {
      return [`plugin ${plugin.name} can't say how it is: ${messageOf(error)}`]
    }
  }

  async #openAll(): Promise<void> {
    const closed = this.#plugins.filter((plugin) => !this.#opened.has(plugin))
    // All are waited for: one that fails must not leave others half open.
    const tries = closed.map((plugin) =>
      plugin.durable ? this.#open(plugin) : this.#openInTime(plugin),
    )
    const failed = (await Promise.allSettled(tries)).find(({ status }) => status === 'rejected')
    if (failed) throw (failed as PromiseRejectedResult).reason
    this.#isOpen = true
  }

  async #open(plugin: Plugin): Promise<void> {
    await plugin.open?.({ diagnostics: this.#diagnostics })
    this.#opened.add(plugin)
  }

  /** One that hangs is left out, too, until it comes to an end. */
  async #openInTime(plugin: Plugin): Promise<void> {
    const opening = this.#tryToOpen(plugin, 1000)
    if (await within(opening, this.#openWait)) return
    this.#leaveOut(plugin, new Error(`did not open within ${this.#openWait} ms`))
  }

  async #tryToOpen(plugin: Plugin, pause: number): Promise<void> {
    try {
      await this.#open(plugin)
      if (!this.#out.delete(plugin)) return
      this.#select()
      this.#diagnostics.log('info', `plugin ${plugin.name} is open now`)
    } catch (error) {
      this.#leaveOut(plugin, error)
      if (this.#closed) return
      const timer = setTimeout(() => {
        this.#retries.delete(timer)
        void this.#tryToOpen(plugin, Math.min(longestPauseMs, pause * 2))
      }, pause).unref()
      this.#retries.add(timer)
    }
  }

  #leaveOut(plugin: Plugin, error: unknown): void {
    this.#out.set(plugin, messageOf(error))
    this.#select()
    this.#report(plugin, `could not be opened and is left out: ${messageOf(error)}`)
  }

  #select(): void {
    this.#observers = this.#plugins.filter((plugin) => !this.#out.has(plugin))
    this.#openQueues = this.queues.filter(({ plugin }) => !this.#out.has(plugin))
  }

  #report(plugin: Plugin, what: string): void {
    this.#diagnostics.count('plugin_errors', { plugin: plugin.name })
    this.#diagnostics.log('error', `plugin ${plugin.name} ${what}`)
  }
}
