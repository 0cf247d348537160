import { z } from 'zod'
import { annotationText } from '../../core/annotations.ts'
import { outcomes } from '../../core/events.ts'
import type { ApiError } from './fault.ts'

export const text = z.string({ error: 'must be given once' })

/** A whole number from 0; 0 and none are `fallback`. */
export function limit(fallback: number, most: number, alone: ApiError) {
  return whole
    .refine((value) => value <= most, {
      error: `must be in range (0, ${most}]`,
      params: { alone },
    })
    .transform((value) => value || fallback)
    .prefault('0')
    .meta({
      description: `At most so many; 0 is ${fallback}.`,
      override: { type: 'integer', minimum: 0, maximum: most, default: fallback },
    })
}

/** How many threads of a session: the reference takes no 0 there, and says so of all that is no number, too. */
export function threadLimit(fallback: number, most: number, alone: ApiError) {
  return text
    .refine((value) => /^\d{1,9}$/.test(value) && Number(value) >= 1 && Number(value) <= most, {
      error: `must be between 1 and ${most}`,
      params: { alone },
    })
    .transform(Number)
    .prefault(String(fallback))
    .meta({
      description: 'At most so many.',
      override: { type: 'integer', minimum: 1, maximum: most, default: fallback },
    })
}

const whole = text
  .refine((value) => /^\d{1,10}$/.test(value), {
    error: 'must be a whole number, 0 or more',
    abort: true,
  })
  .transform(Number)
  .refine((value) => value < 2 ** 31, { error: 'must be less than 2147483648', abort: true })

export const offset = whole.prefault('0').meta({
  description: 'How many to skip.',
  override: { type: 'integer', minimum: 0, maximum: 2 ** 31 - 1, default: 0 },
})

/** The id of an interception, told to stores in lower case, as they have it. */
export function uuid(description: string, alone?: ApiError) {
  return text
    .refine((value) => z.guid().safeParse(value).success, {
      error: 'must be a UUID',
      params: { alone },
    })
    .transform((value) => value.toLowerCase())
    .optional()
    .meta({ description, override: { type: 'string', format: 'uuid' } })
}

/** RFC 3339; told to stores with milliseconds in UTC. */
const instant = text
  .transform((value) => value.toUpperCase())
  .pipe(
    z.iso.datetime({
      offset: true,
      error: `must be a valid date format (RFC 3339, such as 2026-01-15T10:30:00Z)`,
    }),
  )
  .transform((value) => new Date(value).toISOString())
  .meta({ override: { type: 'string', format: 'date-time' } })

/** Asked for as it is recorded, so that what finds it is what was sent. */
const annotation = text
  .transform(annotationText)
  .refine((value) => value !== '', { error: 'must not be blank' })
  .optional()

export const q = text.optional().meta({
  description:
    'Terms `key:value`, separated by spaces; keys are the names of the filters; quotes protect spaces and colons.',
  example: 'client:"Claude Code" started_after:"2026-01-15T10:30:00Z"',
})

export const outcome = z.enum(outcomes)

/** What every list can be narrowed to. */
export const storeFilters = {
  initiator: text.optional().meta({ description: 'A user: id, username, or `me`.', example: 'me' }),
  provider: text.optional().meta({ description: 'A type of provider.', example: 'anthropic' }),
  provider_name: text.optional().meta({ description: 'A provider, by its name here.' }),
  model: text.optional().meta({ description: 'A model, exactly.' }),
  client: text.optional().meta({ description: 'A client, exactly.', example: 'Claude Code' }),
  started_after: instant.optional().meta({ description: 'Then or later.' }),
  started_before: instant.optional().meta({ description: 'Then or earlier.' }),
}

export const sessionId = text.optional().meta({ description: 'The id of a session.' })

/** What lists of interceptions can be narrowed to. */
export const interceptionFilters = {
  ...storeFilters,
  session_id: sessionId,
  outcome: z
    .enum(outcomes, { error: `must be one of ${outcomes.join(', ')}` })
    .optional()
    .meta({ description: 'How it ended.' }),
  tool: text.optional().meta({ description: 'That called this tool.' }),
  search: text.optional().meta({
    description:
      'Words that all occur in prompts, names and inputs of tools, or reasoning; in quotes: side by side.',
  }),
  repo: annotation.meta({ description: 'Sent as X-Sluice-Repo.' }),
  branch: annotation.meta({ description: 'Sent as X-Sluice-Branch.' }),
  issue: annotation.meta({ description: 'Sent as X-Sluice-Issue.' }),
  include: z
    .enum(['running'], { error: 'must be running' })
    .optional()
    .meta({ description: '`running`: also those that have not ended.' }),
}
