import type { Ajv2020 } from 'ajv/dist/2020.js'
import { isObject, type JsonObject } from '../json.ts'

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
    ...rest,
    type: 'object',
    properties: properties ?? {},
    ...(needed !== undefined && { required: needed }),
  }
  return isObject(usable.properties) && (await validator()).validateSchema(usable) === true
    ? usable
    : null
}

/** Loaded when the first tools come. */
async function validator(): Promise<Ajv2020> {
  loaded ??= import('ajv/dist/2020.js').then(
    ({ Ajv2020 }) => new Ajv2020({ strict: false, logger: false }),
  )
  return loaded
}

let loaded: Promise<Ajv2020> | undefined
