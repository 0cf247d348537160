import type { AnsweredCall } from './dialect.ts'

const maxEntries = 10_000
const maxBytes = 64 * 1024 * 1024

/**
 * Calls of ours that a model made beside a client's own, or right behind reasoning, with their results. The client
 * sends its own in its next request and knows nothing of ours: there they are put back, as long as they are kept.
 */
export class HiddenCalls {
  /** By initiator and the client's call; the oldest comes first. */
  readonly #calls = new Map<string, readonly AnsweredCall[]>()
  #bytes = 0

  /** The first of the client's calls stands for all of them. */
  remember(initiatorId: string, [own]: readonly string[], calls: readonly AnsweredCall[]): void {
    if (!own || calls.length === 0) return
    const name = keyOf(initiatorId, own)
    this.#bytes += sizeOf(calls) - sizeOf(this.#calls.get(name) ?? none)
    this.#calls.delete(name)
    this.#calls.set(name, calls)
    for (const [key, oldest] of this.#calls) {
      if (this.#calls.size <= maxEntries && this.#bytes <= maxBytes) return
      this.#calls.delete(key)
      this.#bytes -= sizeOf(oldest)
    }
  }

  find(initiatorId: string, own: string): readonly AnsweredCall[] {
    return this.#calls.get(keyOf(initiatorId, own)) ?? none
  }

  get isEmpty(): boolean {
    return this.#calls.size === 0
  }
}

const none: readonly AnsweredCall[] = []

function keyOf(initiatorId: string, own: string): string {
  return JSON.stringify([initiatorId, own])
}

function sizeOf(calls: readonly AnsweredCall[]): number {
  return calls.reduce((sum, { input, result }) => {
    const parts = result.parts.map((part) => (part.type === 'text' ? part.text : part.data))
    return sum + 200 + input.length + parts.join('').length
  }, 0)
}
