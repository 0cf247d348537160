import { messageOf } from '../../core/errors.ts'
import type { PluginContext } from '../../core/plugin.ts'
import type { InterceptionRecord } from '../../core/records.ts'
import type { Connection } from './connection.ts'
import { every } from './every.ts'
import { beat } from './heartbeat.ts'
import { reap } from './reap.ts'

export interface VigilOptions {
  readonly processId: string
  readonly heartbeatMs: number
  readonly deadAfterMs: number
  readonly reapMs: number
  write(records: readonly InterceptionRecord[]): Promise<void>
  /** What else is done again and again. */
  readonly chores: readonly Chore[]
}

interface Chore {
  readonly what: string
  readonly ms: number
  act(): Promise<void>
}

/** Says that this process lives, and ends what processes that died have left open, until it is stopped. */
export class Vigil {
  readonly #connection: Connection
  readonly #options: VigilOptions
  readonly #failing = new Set<string>()
  #context: PluginContext | undefined
  #rounds: { stop(): Promise<void> }[] = []

  constructor(connection: Connection, options: VigilOptions) {
    this.#connection = connection
    this.#options = options
  }

  /** Resolves when others can see that this process lives, and what was left open before is ended. */
  async start(context: PluginContext | undefined): Promise<void> {
    this.#context = context
    if (this.#rounds.length > 0) return
    const { heartbeatMs, reapMs, chores } = this.#options
    await this.#beat()
    await this.#try('end what dead processes left open', () => this.reap([]))
    this.#rounds = [
      every(heartbeatMs, () => this.#try('say that this process lives', () => this.#beat())),
      every(reapMs, () => this.#try('end what dead processes left open', () => this.reap([]))),
      ...chores.map(({ what, ms, act }) => every(ms, () => this.#try(what, act))),
    ]
  }

  /** Ends what these processes left open, which are known to be dead, and what others did. */
  async reap(dead: readonly string[]): Promise<void> {
    await this.#connection.use(({ interceptions, processes }) =>
      reap(interceptions, processes, { ...this.#options, dead }),
    )
  }

  /** No further round begins; resolves when those under way are over. */
  async stop(): Promise<void> {
    const rounds = this.#rounds
    this.#rounds = []
    await Promise.all(rounds.map((round) => round.stop()))
  }

  async #beat(): Promise<void> {
    await this.#connection.use(({ processes }) => beat(processes, this.#options.processId))
  }

  /** Told once, until it works again: a server that is away for an hour is one line. */
  async #try(what: string, action: () => Promise<void>): Promise<void> {
    try {
      await action()
      this.#failing.delete(what)
    } catch (error) {
      if (this.#failing.has(what)) return
      this.#failing.add(what)
      const message = `mongo-recorder could not ${what}, and tries again: ${messageOf(error)}`
      this.#context?.diagnostics.log('warn', message)
    }
  }
}
