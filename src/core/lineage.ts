import type { ClientIdentity } from './client.ts'
import type { InterceptionEvent } from './events.ts'
import { forgetOldest } from './forget-oldest.ts'
import type { InterceptionStart } from './records.ts'

/** Where an interception stands among those before it. */
export interface Kin {
  readonly id: string
  readonly rootId: string
  readonly sessionId: string
}

const dayMs = 24 * 60 * 60 * 1000

/**
 * Who made which tool call, as far as this process knows: the newest of them, by initiator, for a day. A store
 * is never asked while a request waits; recorders link what was not known here.
 */
export class Lineage {
  readonly #kin = new Map<string, Kin & { readonly at: number }>()
  readonly #max: number

  constructor(max = 20_000) {
    this.#max = max
  }

  /** The interception that a request goes on from: who made the call that it answers. */
  parentOf(
    initiatorId: string,
    correlatingToolCallId: string | null,
    { agentId, clientSessionId }: ClientIdentity,
  ): Kin | null {
    // A sub-agent's first request answers no call: it hangs under the newest call made in its session.
    const session = agentId === null || !clientSessionId ? null : `session ${clientSessionId}`
    return this.find(initiatorId, correlatingToolCallId) ?? this.find(initiatorId, session)
  }

  /** Remembers the tool calls among an interception's events, so that what answers them finds it. */
  rememberCalls(
    id: string,
    { initiatorId, clientSessionId, agentId, threadRootId, sessionId }: InterceptionStart,
    events: readonly InterceptionEvent[],
  ): void {
    for (const event of events) {
      if (event.type !== 'tool_call' || event.toolCallId === '') continue
      const kin: Kin = { id, rootId: threadRootId ?? id, sessionId }
      this.remember(initiatorId, event.toolCallId, kin)
      if (agentId === null && clientSessionId !== null) {
        this.remember(initiatorId, `session ${clientSessionId}`, kin)
      }
    }
  }

  remember(initiatorId: string, key: string, kin: Kin): void {
    const name = `${initiatorId}\n${key}`
    // Deleted first, so that the order of the map is the order of age.
    this.#kin.delete(name)
    this.#kin.set(name, { ...kin, at: Date.now() })
    forgetOldest(this.#kin, this.#max)
  }

  find(initiatorId: string, key: string | null): Kin | null {
    if (key === null) return null
    const kin = this.#kin.get(`${initiatorId}\n${key}`)
    return kin && Date.now() - kin.at < dayMs ? kin : null
  }
}
