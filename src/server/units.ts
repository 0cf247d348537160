import { z } from 'zod'

const milliseconds: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
}

const bytes: Readonly<Record<string, number>> = {
  '': 1,
  B: 1,
  KiB: 1024,
  MiB: 1024 ** 2,
  GiB: 1024 ** 3,
}

/** `250ms 30s 5m 2h 60d 1w` in milliseconds. A bare number is refused, 0 apart: seconds or minutes? */
export const duration: z.ZodType<number> = quantity(
  milliseconds,
  'is no duration: write 250ms, 30s, 5m, 2h, 60d or 1w (bare only 0)',
)

/** A duration that may not be 0. */
export const positiveDuration: z.ZodType<number> = duration.refine((value) => value > 0, {
  message: 'must be longer than 0',
})

/** `64KiB 32MiB 1GiB` in bytes; a bare number is bytes. */
export const size: z.ZodType<number> = quantity(
  bytes,
  'is no size: write 64KiB, 32MiB or 1GiB (a bare number is bytes)',
)

/** `true false 1 0`, as text or as themselves. */
export const truth: z.ZodType<boolean> = z
  .enum(['true', 'false', '1', '0'], { error: 'must be true, false, 1 or 0' })
  .transform((text) => text === 'true' || text === '1')

/** A whole number between two bounds. */
export function wholeNumber(low: number, high: number): z.ZodType<number> {
  const message = `must be a whole number from ${low} to ${high}`
  return z
    .string()
    .regex(/^\d{1,15}$/, { error: message })
    .transform(Number)
    .refine((value) => value >= low && value <= high, { error: message })
}

/** An http or https URL. */
export const httpUrl: z.ZodType<string> = z
  .string()
  .refine((text) => /^https?:$/.test(URL.parse(text)?.protocol ?? ''), {
    error: 'must be an http:// or https:// URL',
  })

function quantity(units: Readonly<Record<string, number>>, complaint: string): z.ZodType<number> {
  return z.string().transform((text, context) => {
    const [, digits = '', unit = ''] = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/i.exec(text.trim()) ?? []
    const factor = Number(digits) === 0 && unit === '' ? 0 : units[unit]
    const value = Math.round(Number(digits) * (factor ?? Number.NaN))
    if (digits !== '' && Number.isSafeInteger(value)) return value
    context.addIssue({ code: 'custom', message: complaint })
    return z.NEVER
  })
}
