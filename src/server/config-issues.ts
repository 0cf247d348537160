import type { z } from 'zod'

/** Adds what is wrong with a part of the file, each fault with its place; values are not shown: they may be keys. */
export function noteIssues(place: string, error: z.ZodError, faults: string[]): void {
  for (const issue of error.issues) {
    const where = issue.path.map((step) =>
      typeof step === 'number' ? `[${step}]` : `.${String(step)}`,
    )
    if (issue.code === 'unrecognized_keys')
      faults.push(...issue.keys.map((key) => `${place}${where.join('')}.${key}: unknown`))
    else faults.push(`${place}${where.join('')}: ${issue.message}`)
  }
}
