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
  readonly #out = new Map<Plugin, string>()
  readonly #retries = new Set<NodeJS.Timeout>()
  #observers: readonly Plugin[]
  #openQueues: readonly RecorderQueue[]
  #opening: Promise<void> | undefined

  constructor(plugins: readonly Plugin[], diagnostics: Diagnostics) {
    const names = plugins.map(({ name }) => name)
    const twice = names.find((name, index) => names.indexOf(name) !== index)
    if (twice !== undefined) {
      throw new SluiceError(`two plugins are named "${twice}": give one another name`, {
        code: 'ERR_PLUGIN_NAME',
      })
    }
    this.#plugins = plugins
    this.#diagnostics = diagnostics
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

  /** Opens all, once. Rejects where a durable plugin can't be opened; any other is left out and tried again. */
  open(): Promise<void> {
    this.#opening ??= this.#openAll()
    return this.#opening
  }

  async close(): Promise<void> {
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
    return [...this.#out].map(([plugin, reason]) => `plugin ${plugin.name} is left out: ${reason}`)
  }

  async #openAll(): Promise<void> {
    for (const plugin of this.#plugins) {
      try {
        await plugin.open?.()
      } catch (error) {
        if (plugin.durable) throw error
        this.#leaveOut(plugin, error, 1000)
      }
    }
    this.#select()
  }

  #leaveOut(plugin: Plugin, error: unknown, pause: number): void {
    this.#out.set(plugin, messageOf(error))
    this.#report(plugin, `could not be opened and is left out: ${messageOf(error)}`)
    const timer = setTimeout(() => {
      this.#retries.delete(timer)
      void this.#tryAgain(plugin, pause)
    }, pause).unref()
    this.#retries.add(timer)
  }

  async #tryAgain(plugin: Plugin, pause: number): Promise<void> {
    try {
      await plugin.open?.()
      this.#out.delete(plugin)
      this.#select()
      this.#diagnostics.log('info', `plugin ${plugin.name} is open now`)
    } catch (error) {
      this.#leaveOut(plugin, error, Math.min(longestPauseMs, pause * 2))
    }
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
