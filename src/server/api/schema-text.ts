import { arrayOf, objectOf, stringOf } from '../../core/json.ts'
import { escaped } from '../escaped.ts'

/** A JSON Schema in a few words of HTML, with links to the named ones. */
export function schemaText(schema: Readonly<Record<string, unknown>>): string {
  const name = stringOf(schema.$ref)?.split('/').at(-1)
  if (name) return `<a href="#${escaped(name)}">${escaped(name)}</a>`
  const either = arrayOf(schema.anyOf ?? schema.oneOf)
  if (either.length > 0) return either.map((each) => schemaText(objectOf(each))).join(' or ')
  const values = 'const' in schema ? [schema.const] : arrayOf(schema.enum)
  if (values.length > 0)
    return values.map((value) => `<code>${escaped(String(value))}</code>`).join(' ') + more(schema)
  const type = arrayOf(schema.type).length > 0 ? arrayOf(schema.type).join(' or ') : schema.type
  if (type === 'array') return `list of ${schemaText(objectOf(schema.items))}`
  return `${type === 'object' ? objectText(schema) : escaped(String(type ?? 'anything'))}${more(schema)}`
}

function objectText({ properties, additionalProperties }: Readonly<Record<string, unknown>>) {
  const members = Object.entries(objectOf(properties)).map(
    ([name, each]) => `<code>${escaped(name)}</code>: ${schemaText(objectOf(each))}`,
  )
  if (members.length > 0) return `{ ${members.join(', ')} }`
  const values = objectOf(additionalProperties)
  return Object.keys(values).length > 0 ? `object of ${schemaText(values)}` : 'object'
}

function more({ format, default: given, maximum }: Readonly<Record<string, unknown>>): string {
  const facts = [
    ...(typeof format === 'string' ? [format] : []),
    // The largest safe number says nothing.
    ...(typeof maximum === 'number' && maximum < 2 ** 31 - 1 ? [`at most ${maximum}`] : []),
    ...(given === undefined ? [] : [`default ${String(given)}`]),
  ]
  return facts.length > 0 ? ` <small>(${escaped(facts.join(', '))})</small>` : ''
}
