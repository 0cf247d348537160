import type { InterceptionEvent } from './events.ts'
import type { ReplyOrigin, Round, Verdict } from './format.ts'
import type { Frame } from './sse.ts'

/** A round that begins only when it is known how the reply is to be read. */
export class LateRound implements Round {
  readonly #unknown: ReplyOrigin = { model: '', fingerprint: '' }
  #round: Round | undefined

  begin(round: Round): void {
    this.#round = round
  }

  get messageId(): string {
    return this.#round?.messageId ?? ''
  }

  get generating(): boolean {
    return this.#round?.generating ?? false
  }

  get toldText(): boolean {
    return this.#round?.toldText ?? false
  }

  get origin(): ReplyOrigin {
    return this.#round?.origin ?? this.#unknown
  }

  read(...frames: readonly Frame[]): readonly InterceptionEvent[] {
    return this.#round?.read(...frames) ?? []
  }

  finish(): readonly InterceptionEvent[] {
    return this.#round?.finish() ?? []
  }

  verdict(): Verdict {
    return this.#round?.verdict() ?? { outcome: 'upstream_cut' }
  }
}
