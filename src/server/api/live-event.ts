import type { StoredInterception } from '../../core/recorder.ts'
import { interceptionShape } from './interception-shape.ts'

export interface LiveEvent {
  readonly cursor: string
  readonly interception: StoredInterception
  /** As it goes over the wire: made once for all who read. */
  bytes(): Buffer
}

export function liveEvent(cursor: string, interception: StoredInterception): LiveEvent {
  let made: Buffer | undefined
  return {
    cursor,
    interception,
    bytes: () => {
      made ??= Buffer.from(
        `id: ${cursor}\nevent: interception\ndata: ${JSON.stringify(interceptionShape(interception))}\n\n`,
      )
      return made
    },
  }
}

/** One without a place of its own. */
export function noticeBytes(event: 'gap' | 'end', message: string, cursor?: string): Buffer {
  const id = cursor === undefined ? '' : `id: ${cursor}\n`
  return Buffer.from(`${id}event: ${event}\ndata: ${JSON.stringify({ message })}\n\n`)
}
