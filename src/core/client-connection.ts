import type { ServerResponse } from 'node:http'

/**
 * Whether the client is still there. Make it before the first await: a late `close` listener never fires.
 * `signal` aborts the upstream call when the client leaves.
 */
export class ClientConnection {
  readonly #response: ServerResponse
  readonly #abort = new AbortController()
  #left: (() => void) | null = null

  constructor(response: ServerResponse) {
    this.#response = response
    response.once('close', () => {
      if (!response.writableFinished) this.#left?.()
    })
  }

  /**
   * What to do when the client leaves before the reply has ended. Not a member to assign: V8 makes a function that
   * is assigned to a member for long life, and what it can reach is then kept until the next big collection.
   */
  whenGone(left: () => void): void {
    this.#left = left
  }

  get gone(): boolean {
    return this.#response.closed || this.#response.destroyed
  }

  get signal(): AbortSignal {
    return this.#abort.signal
  }

  /** Drops the upstream call, whatever it is at. */
  abort(reason: unknown): void {
    this.#abort.abort(reason)
  }
}
