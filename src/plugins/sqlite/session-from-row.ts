import type { DatabaseSync } from 'node:sqlite'
import type { Session } from '../../core/session.ts'
import { asNumbers, measuresOf, sessionNumbers } from './measure-columns.ts'
import { parsedOr } from './parsed-or.ts'
import { numbersOf, tokenSums } from './token-sums.ts'

/** Sessions by their keys, in that order; what people wrote is read from the records. */
export function sessionsFrom(database: DatabaseSync, keys: readonly number[]): Session[] {
  const row = database.prepare(`
    SELECT sessions.id, initiator_id, first_id, prompted_id, prompt_id, token_metadata,
      ${asNumbers(sessionNumbers, 'sessions')},
      username, client, providers, provider_names, models
    FROM sessions JOIN kinds ON kinds.key = kind JOIN initiators ON initiators.key = initiator
    WHERE sessions.key = ?`)
  const started = database.prepare(`
    SELECT body ->> '$.initiatorName' AS name, body -> '$.metadata' AS metadata FROM records
    WHERE interception_id = ? AND type = 'interception_start' AND json_valid(body)`)
  const prompted = database.prepare(`
    SELECT body ->> '$.prompt' AS prompt FROM records
    WHERE interception_id = ? AND id = ? AND json_valid(body)`)

  function sessionOf(key: number): Session | null {
    const found = row.get(key)
    if (!found) return null
    const start = started.get(String(found.first_id))
    const prompt =
      found.prompt_id === null
        ? null
        : prompted.get(String(found.prompted_id), String(found.prompt_id))
    return {
      id: String(found.id),
      initiatorId: String(found.initiator_id),
      initiatorUsername: String(found.username),
      initiatorName: typeof start?.name === 'string' ? start.name : null,
      providers: parsedOr(found.providers, []),
      providerNames: parsedOr(found.provider_names, []),
      models: parsedOr(found.models, []),
      client: String(found.client),
      metadata: parsedOr(start?.metadata, {}),
      startedAt: time(found.started_at),
      endedAt: time(found.ended_at),
      lastActiveAt: time(found.last_active_at),
      lastPrompt: prompt ? String(prompt.prompt ?? '') : null,
      threads: Number(found.threads),
      measures: measuresOf(found),
      tokenMetadata: numbersOf(tokenSums(found.token_metadata)),
    }
  }

  return keys.map(sessionOf).filter((session) => session !== null)
}

function time(ms: unknown): string {
  const at = new Date(Number(ms))
  return (Number.isNaN(at.getTime()) ? new Date(0) : at).toISOString()
}
