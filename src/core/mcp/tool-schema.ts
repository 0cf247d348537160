import type { Ajv2020 } from 'ajv/dist/2020.js'
import { isObject, type JsonObject, objectOf } from '../json.ts'

/**
 * A tool's arguments as providers take them: an object with `properties`. Null where the schema is none: a provider
 * would refuse the whole request for it.
 */
export async function usableSchema(schema: unknown): Promise<JsonObject | null> {
  if (!isObject(schema) || (schema.type ?? 'object') !== 'object') return null
  // What no provider takes at the top only narrows the arguments; the server checks them itself.
  const { $schema: _, oneOf, anyOf, allOf, not, enum: __, required, properties, ...rest } = schema
  const needed = Array.isArray(required) && required.length === 0 ? undefined : required
  const usable = {
    ...(withItems(rest) as JsonObject),
    type: 'object',
    properties: mapped(properties ?? {}, withItems),
    ...(needed !== undefined && { required: needed }),
  }
  return isObject(usable.properties) && (await validator()).validateSchema(usable) === true
    ? usable
    : null
}

/** An argument under a name that Messages requests may not have; those with one are refused whole. */
export function unknownArgument({ properties }: JsonObject): string | undefined {
  return Object.keys(objectOf(properties)).find((name) => !/^[a-zA-Z0-9_.-]{1,64}$/.test(name))
}

/** OpenAI refuses lists of which is not said what is in them: that is anything. */
function withItems(schema: unknown): unknown {
  if (!isObject(schema)) return schema
  const all = Object.entries(schema).map(([name, value]) => {
    if (several.has(name)) return [name, mapped(value, withItems)]
    return [name, single.has(name) ? withItems(value) : value]
  })
  const { type } = schema
  const isList = type === 'array' || (Array.isArray(type) && type.includes('array'))
  return { ...Object.fromEntries(all), ...(isList && schema.items === undefined && { items: {} }) }
}

/** Members that hold several schemas, and those that hold one. */
const several: ReadonlySet<string> = new Set([
  'properties',
  'patternProperties',
  '$defs',
  'definitions',
  'anyOf',
  'oneOf',
  'allOf',
  'prefixItems',
])
const single: ReadonlySet<string> = new Set(['items', 'additionalProperties', 'not'])

function mapped(values: unknown, map: (value: unknown) => unknown): unknown {
  if (Array.isArray(values)) return values.map(map)
  if (!isObject(values)) return values
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, map(value)]))
}

/** Loaded when the first tools come. */
async function validator(): Promise<Ajv2020> {
  loaded ??= import('ajv/dist/2020.js').then(
    ({ Ajv2020 }) => new Ajv2020({ strict: false, logger: false }),
  )
  return loaded
}

let loaded: Promise<Ajv2020> | undefined
