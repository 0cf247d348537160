import type { ServerResponse } from 'node:http'

/**
 * Whether the client is still there. Make it before the first await: a late `close` listener never fires.
 * `signal` aborts the upstream call when the client leaves.
 */
export class ClientConnection {
  /** Called when the client leaves before the reply has ended. */
  onGone: () => void = () => {}
  readonly #response: ServerResponse
  readonly #abort = new AbortController()

  constructor(response: ServerResponse) {
    this.#response = response
    response.once('close', () => {
      if (!response.writableFinished) this.onGone()
    })
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
