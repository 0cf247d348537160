import { snakeCase } from './json.ts'
import { mapContent } from './record-content.ts'
import type { InterceptionRecord } from './records.ts'

/** Prompts, tool inputs and results, reasoning: whole, by their length only, or not at all. */
export type ToldContent = 'full' | 'redacted' | 'omit'

/**
 * The fields of a record's log line, in their order. They are handed over and not made into an object: each log has
 * its own idea of one, and this is done for each record.
 */
export function eachLogField(
  record: InterceptionRecord,
  content: ToldContent,
  put: (name: string, value: unknown) => void,
): void {
  const told = content === 'full' ? record : mapContent(record, hidden[content])
  put('record_type', told.type)
  put('id', told.id)
  put('interception_id', told.interceptionId)
  for (const name in told) {
    if (!apart.has(name)) put(snakeCase(name), told[name as keyof InterceptionRecord])
  }
}

const apart = new Set(['type', 'id', 'interceptionId', 'seq'])

const hidden = {
  redacted: (value: string) => `[redacted: ${value.length} characters]`,
  omit: () => null,
}
