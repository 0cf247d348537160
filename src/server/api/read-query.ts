import type { z } from 'zod'
import { type ApiError, badParameters, errorOf, type Fault } from './fault.ts'
import { storeFilters } from './parameters.ts'
import { searchTerms } from './search-terms.ts'

/** How an endpoint reads its query. */
export interface QuerySpec<P extends z.ZodObject = z.ZodObject> {
  readonly parameters: P
  /** Where it takes `q`: what is said when that is wrong, and which parameter a word without key is. */
  readonly search?: { readonly message: string; readonly bare?: string }
  /** Two that exclude each other. */
  readonly exclusive?: readonly [string, string]
  /** What is said of these two. */
  readonly both?: ApiError
}

/** Tells what cannot be known from the parameters alone. */
export type Check = (given: Readonly<Record<string, unknown>>) => Promise<readonly Fault[]>

/** The parameters, or what to answer with 400: all that is wrong with them at once. */
export async function readQuery<P extends z.ZodObject>(
  { parameters, search, exclusive, both }: QuerySpec<P>,
  query: Readonly<Record<string, unknown>>,
  check: Check,
): Promise<{ readonly query: z.output<P> } | { readonly error: ApiError }> {
  const { q, ...others } = query
  const faults: Fault[] = []
  const given = new Map(Object.entries(others).filter(([name, value]) => !isAny(name, value)))
  if (q !== undefined && (!search || typeof q !== 'string')) given.set('q', q)
  else if (search) {
    const asked = searchTerms(String(q ?? ''), search.bare)
    faults.push(...asked.faults)
    for (const { field, value } of asked.terms) {
      const fault = termFault(field, value, parameters, given)
      if (fault) faults.push(fault)
      else if (!isAny(field, value)) given.set(field, value)
    }
  }
  const result = parameters.safeParse(Object.fromEntries(given))
  if (!result.success) faults.push(...result.error.issues.flatMap(faultsOf))
  faults.push(...spanFaults(given))
  if (exclusive?.every((name) => given.has(name) && given.get(name) !== '0')) {
    const [field] = exclusive
    const detail = `Cannot use both ${exclusive.join(' and ')} pagination in the same request.`
    const alone = both ?? { message: badParameters, detail }
    faults.push({ field, detail: alone.detail ?? alone.message, alone })
  }
  faults.push(...(await check(Object.fromEntries(given))))
  if (result.success && faults.length === 0) return { query: result.data }
  // Told under the words for a bad `q` where all the faults are in there.
  const inQuery = ({ field }: Fault) => field === 'q' || !Object.hasOwn(others, field)
  const told = faults.map((each) =>
    search && typeof q === 'string' && inQuery(each) ? { ...each, message: search.message } : each,
  )
  return { error: errorOf(told) }
}

/** Empty is as good as absent, and `*` what dashboards send for "All". */
function isAny(name: string, value: unknown): boolean {
  return value === '' || (value === '*' && !notFilters.has(name))
}

const notFilters: ReadonlySet<string> = new Set([
  'limit',
  'offset',
  'after_id',
  'before_id',
  'after_session_id',
  'after_initiator_id',
  'sort',
  'group_by',
  'interval',
  'format',
  'include',
])

function termFault(
  field: string,
  value: string,
  { shape }: z.ZodObject,
  given: ReadonlyMap<string, unknown>,
): Fault | null {
  if (!Object.hasOwn(shape, field) || notFilters.has(field) || field === 'q')
    return { field, detail: `Query param "${field}" is not a valid query param` }
  if (!given.has(field) || given.get(field) === value) return null
  return { field, detail: `Query param "${field}" must be given once` }
}

function faultsOf(issue: z.core.$ZodIssue): Fault[] {
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((field) => ({
      field,
      detail: `Query param "${field}" is not a valid query param`,
    }))
  const field = String(issue.path[0])
  const alone = issue.code === 'custom' ? (issue.params?.alone as ApiError | undefined) : undefined
  return [{ field, detail: `Query param "${field}" ${issue.message}`, alone }]
}

/** Also where another parameter is bad. */
function spanFaults(given: ReadonlyMap<string, unknown>): Fault[] {
  const [from, until] = (['started_after', 'started_before'] as const).map((name) => {
    const read = storeFilters[name].safeParse(given.get(name))
    return read.success && read.data !== undefined ? Date.parse(read.data) : Number.NaN
  })
  if (!(Number(from) >= Number(until))) return []
  const detail = 'Query param "started_before" has invalid value: must be later than started_after'
  return [{ field: 'started_before', detail }]
}
