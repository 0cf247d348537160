import type { InterceptionRecord, RecordBody } from './records.ts'

/** Members that hold what people and models wrote, by record type. */
const contentMembers: Readonly<Record<string, readonly string[]>> = {
  prompt_usage: ['prompt', 'rawPrompt'],
  // A hosted tool's error is what it answered.
  tool_usage: ['input', 'invocationError'],
  tool_result: ['content'],
  model_thought: ['content'],
  answer: ['text'],
}

/** Roughly the bytes that a record takes while it waits. */
export function sizeOf(record: InterceptionRecord): number {
  let bytes = 400
  for (const member in record) {
    const value: unknown = record[member as keyof InterceptionRecord]
    if (typeof value === 'string' && value.length > 40) bytes += value.length * 2
  }
  return bytes
}

/** True for what a bill and an audit can't do without. */
export function isEssential({ type }: InterceptionRecord): boolean {
  return type === 'interception_start' || type === 'interception_end' || type === 'token_usage'
}

/** The record with what people and models wrote in it changed; other members stay. */
export function mapContent(
  record: InterceptionRecord,
  change: (value: string) => string | null,
): InterceptionRecord {
  const members = contentMembers[record.type] ?? []
  const entries = Object.entries(record).filter(([member]) => members.includes(member))
  const changed = entries.map(([member, value]) => [
    member,
    typeof value === 'string' ? change(value) : value,
  ])
  return { ...record, ...Object.fromEntries(changed) }
}

/** The record without its content, marked `truncated`; the same object where it has none left. */
export function dropContent(record: InterceptionRecord): InterceptionRecord {
  const members = longMembers(record)
  if (members.length === 0) return record
  const emptied = Object.fromEntries(members.map((member) => [member, '']))
  return { ...record, ...emptied, truncated: members }
}

/** The body without content: names, counts and usage stay, and that a tool failed. */
export function withoutContent(body: RecordBody): RecordBody {
  const members = contentMembers[body.type]
  if (!members) return body
  const emptied = Object.entries(body)
    .filter(([member, value]) => members.includes(member) && value !== null)
    .map(([member]) => [member, withheld[`${body.type}.${member}`] ?? ''])
  const result = body.type === 'tool_result' && { content: null }
  return { ...body, ...Object.fromEntries(emptied), ...result } as RecordBody
}

const withheld: Readonly<Record<string, string>> = { 'tool_usage.invocationError': 'not recorded' }

/** A plugin's own types may hold content under any name: every long string counts. */
function longMembers(record: InterceptionRecord): readonly string[] {
  const members = contentMembers[record.type]
  const holds = ([member, value]: [string, unknown]) =>
    typeof value === 'string' &&
    value.length > 0 &&
    (members ? members.includes(member) : value.length > 200)
  if (isEssential(record)) return []
  return Object.entries(record)
    .filter(holds)
    .map(([member]) => member)
}
