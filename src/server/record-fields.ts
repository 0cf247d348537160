/**
 * A record's members as exports tell them: snake_case, in one order, so that equal records are equal texts.
 * Where a name does not come back from snake_case it stays as it is, under `verbatim`.
 */
export function fieldsOf(
  record: object,
  leftOut: ReadonlySet<string> = new Set(),
): Record<string, unknown> {
  const members = Object.entries(record)
    .filter(([name]) => name !== 'type' && !leftOut.has(name))
    .toSorted(([a], [b]) => rank(a) - rank(b) || (a < b ? -1 : 1))
  const misfits = members.filter(([name]) => !comesBack(name))
  const fields = members.flatMap(([name, value]) => {
    if (!comesBack(name)) return []
    const field = [snakeCase(name), value] as const
    // The name that it has in the REST API, too.
    return name === 'msgId' ? [field, ['provider_response_id', value] as const] : [field]
  })
  // Not by assignment: a stranger may have named a member `__proto__`.
  return Object.fromEntries([
    ...fields,
    ...(misfits.length > 0 ? [['verbatim', Object.fromEntries(misfits)] as const] : []),
  ])
}

/** The other way round; without a `type`. */
export function membersOf(fields: object): [name: string, value: unknown][] {
  return Object.entries(fields).flatMap(([name, value]) => {
    if (name === 'verbatim') return Object.entries(value as object).filter(([it]) => !comesBack(it))
    return own.has(name) ? [] : [[camelCase(name), value] as [string, unknown]]
  })
}

/** `inputTokens` → `input_tokens`. */
export function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
}

function camelCase(name: string): string {
  return name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())
}

/** Names on the line that are no record's. */
const own: ReadonlySet<string> = new Set(['record_type', 'provider_response_id', 'verbatim'])

function comesBack(name: string): boolean {
  const snake = snakeCase(name)
  return camelCase(snake) === name && !own.has(snake)
}

const leading = [
  'id',
  'interceptionId',
  'seq',
  'createdAt',
  'late',
  'truncated',
  'truncatedFrom',
  'msgId',
]

function rank(name: string): number {
  const place = leading.indexOf(name)
  return place < 0 ? leading.length : place
}
