import type { StoredInterception } from './recorder.ts'
import type { InterceptionRecord, RecordOf, RecordType } from './records.ts'

/**
 * Puts an interception together from its records, given in any order. Null without its start: nobody can
 * say yet whose it is.
 */
export function storedInterception(
  records: readonly InterceptionRecord[],
): StoredInterception | null {
  const lists: { readonly [T in ListedType]: RecordOf<T>[] } = {
    token_usage: [],
    prompt_usage: [],
    tool_usage: [],
    tool_result: [],
    model_thought: [],
  }
  const others: RecordOf<RecordType>[] = []
  let start: RecordOf<'interception_start'> | null = null
  let end: RecordOf<'interception_end'> | null = null
  for (const record of records.toSorted(bySeq)) {
    if (record.type === 'interception_start') start = record
    else if (record.type === 'interception_end') end = replaces(record, end) ? record : end
    else if (isListed(record, lists)) (lists[record.type] as InterceptionRecord[]).push(record)
    else others.push(record)
  }
  if (!start) return null
  return {
    id: start.interceptionId,
    start,
    end,
    tokenUsages: lists.token_usage,
    userPrompts: lists.prompt_usage,
    toolUsages: lists.tool_usage,
    toolResults: lists.tool_result,
    modelThoughts: lists.model_thought,
    others,
  }
}

/** Whether a record takes the place of an earlier one: always, but a reaper's end never an owner's. */
export function replaces(record: InterceptionRecord, earlier: InterceptionRecord | null): boolean {
  return !(isReaped(record) && earlier && !isReaped(earlier))
}

export function isReaped(record: InterceptionRecord): boolean {
  return record.type === 'interception_end' && record.reaped === true
}

/** The newest first; of two that started in the same millisecond the one with the greater id. */
export function newestFirst(a: StoredInterception, b: StoredInterception): number {
  return (
    Date.parse(b.start.startedAt) - Date.parse(a.start.startedAt) ||
    (a.id < b.id ? 1 : a.id > b.id ? -1 : 0)
  )
}

type ListedType = 'token_usage' | 'prompt_usage' | 'tool_usage' | 'tool_result' | 'model_thought'

function isListed(
  record: InterceptionRecord,
  lists: { readonly [T in ListedType]: unknown },
): record is RecordOf<ListedType> {
  return Object.hasOwn(lists, record.type)
}

function bySeq(a: InterceptionRecord, b: InterceptionRecord): number {
  // Two processes may have given out the same number (a reaper's end): the id settles it.
  return a.seq - b.seq || (a.id < b.id ? -1 : 1)
}
