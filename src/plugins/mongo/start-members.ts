import type { InterceptionStart } from '../../core/records.ts'
import type { InterceptionDocument } from './interception-document.ts'
import { linkMembers } from './link-members.ts'

/** What the first document of an interception has of its start, beside the record. */
export function startMembers(
  start: InterceptionStart,
): Pick<
  InterceptionDocument,
  | 'initiatorId'
  | 'initiatorUsername'
  | 'processId'
  | 'startedAt'
  | 'model'
  | 'client'
  | 'lineage'
  | 'wants'
  | 'sessionKey'
> {
  const { initiatorId, initiatorUsername, processId, model, client, startedAt } = start
  return {
    initiatorId,
    initiatorUsername,
    processId,
    model,
    client,
    startedAt: new Date(startedAt),
    ...linkMembers(start),
  }
}
