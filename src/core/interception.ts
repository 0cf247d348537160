import type { Observable } from 'rxjs'
import type { FormatName, InterceptionStart } from './records.ts'
import type { Frame } from './sse.ts'

/** Who is behind a request. */
export interface Initiator {
  readonly id: string
  readonly username: string
  readonly name?: string
  readonly role?: string
  /** Which of the user's API keys was used. */
  readonly apiKeyId?: string
}

/** One client request through the gateway, as plugins see it. */
export interface Interception {
  /** UUIDv7. */
  readonly id: string
  readonly initiator: Initiator
  /** The provider's type: `anthropic`, `openai`. */
  readonly provider: string
  /** The provider's instance name. */
  readonly providerName: string
  readonly format: FormatName
  /** The requested model, empty where the request names none. */
  readonly model: string
  readonly client: string
  readonly sessionId: string
  readonly streaming: boolean
  readonly startedAt: Date
  /** The reply's frames with their very bytes; nothing is copied while no one subscribes. */
  readonly frames$: Observable<Frame>
}

/** What plugins see of an interception that begins. */
export function interceptionOf(
  id: string,
  initiator: Initiator,
  start: InterceptionStart,
  startedAt: Date,
  frames$: Observable<Frame>,
): Interception {
  const { provider, providerName, format, model, client, sessionId, streaming } = start
  return Object.freeze({
    id,
    initiator,
    provider,
    providerName,
    format,
    model,
    client,
    sessionId,
    streaming,
    startedAt,
    frames$,
  })
}
