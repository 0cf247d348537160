import { map } from 'rxjs'
import { ofType } from '../core/events.ts'
import type { Plugin } from '../core/plugin.ts'

/** Keeps the provider's own figures: one `token_usage` an upstream reply, replaced as they become known. */
export const tokenCounter = (): Plugin => ({
  name: 'token-counter',
  observe: (events$) =>
    events$.pipe(
      ofType('usage'),
      map(({ type: _, messageId, round, final, ...figures }) => ({
        type: 'token_usage' as const,
        key: String(round),
        provisional: !final,
        msgId: messageId,
        ...figures,
      })),
    ),
})
