import { messageOf, SluiceError } from '../core/errors.ts'
import { endId, startId } from '../core/ids.ts'
import { isObject } from '../core/json.ts'
import type { InterceptionRecord } from '../core/records.ts'
import { endFields, startFields } from './export-line.ts'
import { type ImportLine, lineFaults, listTypes } from './import-shape.ts'
import { membersOf, snakeCase } from './record-fields.ts'

/** The records of an exported interception, its start first. Throws `ERR_IMPORT_LINE` that says what is wrong with it. */
export function importLine(text: string): InterceptionRecord[] {
  const line = parsed(text)
  const { id, initiator } = line
  const start = {
    type: 'interception_start',
    id: startId(id),
    interceptionId: id,
    ...Object.fromEntries(membersOf(line.start_record)),
    initiatorId: initiator.id,
    initiatorUsername: initiator.username,
    initiatorName: initiator.name,
    ...atTop(line, startFields),
  }
  const end = line.end_record && {
    type: 'interception_end',
    id: endId(id),
    interceptionId: id,
    ...Object.fromEntries(membersOf(line.end_record)),
    ...atTop(line, endFields),
  }
  const records = [
    start,
    ...Object.entries(listTypes).flatMap(([list, type]) =>
      line[list as keyof typeof listTypes].map((fields) => recordOf(type, fields)),
    ),
    ...line.records.map((fields) => recordOf(fields.record_type, fields)),
    ...(end ? [end] : []),
  ] as unknown as InterceptionRecord[]
  checkIds(id, records)
  return records
}

function parsed(text: string): ImportLine {
  let line: unknown
  try {
    line = JSON.parse(text)
  } catch (error) {
    throw badLine([`is no JSON (${messageOf(error)})`])
  }
  if (!isObject(line)) throw badLine(['is no JSON object'])
  const faults = lineFaults(line)
  if (faults.length > 0) throw badLine(faults)
  return line as ImportLine
}

function recordOf(type: string, fields: object): object {
  return Object.fromEntries([...membersOf(fields), ['type', type]])
}

function atTop(line: object, names: readonly string[]): object {
  const fields = line as Readonly<Record<string, unknown>>
  return Object.fromEntries(names.map((name) => [name, fields[snakeCase(name)]]))
}

function checkIds(id: string, records: readonly InterceptionRecord[]): void {
  const ids = new Set<string>()
  for (const record of records) {
    if (record.interceptionId !== id) throw badLine([`${record.id}: is of another interception`])
    if (ids.has(record.id)) throw badLine([`${record.id}: is the id of two records`])
    ids.add(record.id)
  }
}

function badLine(faults: readonly string[]): SluiceError {
  const more = faults.length > 3 ? ` (and ${faults.length - 3} more)` : ''
  return new SluiceError(`${faults.slice(0, 3).join('; ')}${more}`, { code: 'ERR_IMPORT_LINE' })
}
