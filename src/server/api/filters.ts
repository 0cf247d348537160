import type { z } from 'zod'
import { annotationNames } from '../../core/annotations.ts'
import type { InterceptionFilter, StoreFilter } from '../../core/recorder.ts'
import { type Caller, canReadAll } from '../identity/caller.ts'
import type { interceptionFilters, storeFilters } from './parameters.ts'

type StoreFilters = z.output<z.ZodObject<typeof storeFilters>>
type InterceptionFilters = z.output<z.ZodObject<typeof interceptionFilters>>

/** What is asked for, of what the caller may see. */
export function storeFilter(query: StoreFilters, caller: Caller): StoreFilter {
  const { initiator } = query
  return {
    ...visibleTo(caller),
    ...given({
      initiator: initiator === 'me' ? caller.id : initiator,
      provider: query.provider,
      providerName: query.provider_name,
      model: query.model,
      client: query.client,
      startedAfter: query.started_after,
      startedBefore: query.started_before,
    }),
  }
}

/** The same for lists of interceptions. */
export function interceptionFilter(query: InterceptionFilters, caller: Caller): InterceptionFilter {
  const annotations: Record<string, string> = {}
  for (const name of annotationNames) {
    const value = query[name]
    if (value !== undefined) annotations[name] = value
  }
  return {
    ...storeFilter(query, caller),
    ...given({
      sessionId: query.session_id,
      outcome: query.outcome,
      tool: query.tool,
      search: query.search,
      running: query.include === 'running' || undefined,
    }),
    ...(Object.keys(annotations).length > 0 && { annotations }),
  }
}

/** Members see their own alone. */
export function visibleTo({ role, id }: Caller): Pick<StoreFilter, 'visibleTo'> {
  return canReadAll(role) ? {} : { visibleTo: id }
}

/** Less what is undefined. */
export function given<T extends object>(members: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(
    Object.entries(members).filter(([, value]) => value !== undefined),
  ) as never
}
