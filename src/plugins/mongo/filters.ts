import type { Filter } from 'mongodb'
import type { InterceptionFilter, StoreFilter } from '../../core/recorder.ts'
import { annotationMember } from './annotation-member.ts'
import type { DigestDocument } from './digest-document.ts'
import type { SessionDocument } from './session-document.ts'
import { shortKey } from './short-key.ts'
import type { TextDocument } from './text-document.ts'
import { searchedRuns } from './words.ts'

/** Of digests and of texts: they have the same facets. */
export function interceptionFilter({
  sessionId,
  outcome,
  tool,
  annotations = {},
  running = false,
  startedAfter,
  startedBefore,
  provider,
  providerName,
  model,
  client,
  ...filter
}: InterceptionFilter): Filter<TextDocument & DigestDocument> {
  const wanted = annotationMember(annotations)
  return {
    // Both values named, so that an index that has `ended` before the time still gives the order.
    ended: running ? { $in: [true, false] } : true,
    startedAt: {
      $gte: startedAfter === undefined ? new Date(0) : new Date(startedAfter),
      ...(startedBefore !== undefined && { $lte: new Date(startedBefore) }),
    },
    ...named({ provider, providerName, model, client, outcome }),
    ...(sessionId !== undefined && { sessionId: shortKey(sessionId) }),
    ...(tool !== undefined && { tools: tool }),
    ...(wanted.length > 0 && { annotations: { $all: wanted } }),
    $and: [...ofInitiator(filter), ...searched(filter.search)],
  }
}

export function sessionFilter({
  sessionId,
  startedAfter,
  startedBefore,
  provider,
  providerName,
  model,
  client,
  ...filter
}: StoreFilter & { readonly sessionId?: string }): Filter<SessionDocument> {
  return {
    // Those that are only marked have none yet.
    lastActiveAt: { $gte: startedAfter === undefined ? new Date(0) : new Date(startedAfter) },
    ...(startedBefore !== undefined && { startedAt: { $lte: new Date(startedBefore) } }),
    ...named({ providers: provider, providerNames: providerName, models: model, client }),
    ...(sessionId !== undefined && { sessionId: shortKey(sessionId) }),
    $and: ofInitiator(filter),
  }
}

/** Who asks sees this one's alone, and wants that one's. Never empty: `$and` may not be. */
function ofInitiator({ visibleTo, initiator }: Pick<StoreFilter, 'visibleTo' | 'initiator'>) {
  return [
    visibleTo === undefined ? {} : { initiatorId: visibleTo },
    ...(initiator === undefined
      ? []
      : [{ $or: [{ initiatorId: initiator }, { initiatorUsername: initiator }] }]),
  ]
}

function searched(search: string | undefined) {
  if (search === undefined) return []
  const runs = searchedRuns(search)
  // Not a word in it: nothing has it.
  if (runs.length === 0) return [{ words: '' }]
  const phrases = runs.filter((run) => run.length > 1)
  return [
    { words: { $all: [...new Set(runs.flat())] } },
    // Words are letters and digits: nothing in them means anything to a regular expression.
    ...phrases.map((run) => ({ text: { $regex: ` ${run.join(' ')} ` } })),
  ]
}

function named(names: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(names).filter((entry): entry is [string, string] => entry[1] !== undefined),
  )
}
