import { arrayOf, isObject, type JsonObject, objectOf } from '../core/json.ts'

/** Plausible, harmless arguments that fit a tool's JSON schema; numbers come from the prompt, in order. */
export function toolArguments(schema: JsonObject, prompt: string): Record<string, unknown> {
  const numbers = (prompt.match(/-?\d+(?:\.\d+)?/g) ?? []).map(Number)
  const value = valueFor('', schema, { root: schema, prompt, numbers })
  return isObject(value) ? { ...value } : {}
}

interface Context {
  readonly root: JsonObject
  readonly prompt: string
  readonly numbers: number[]
}

function valueFor(name: string, given: JsonObject, context: Context, depth = 0): unknown {
  const schema = resolved(given, context.root)
  if (schema.const !== undefined) return schema.const
  if (Array.isArray(schema.enum)) return schema.enum[0]
  if (schema.default !== undefined && schema.default !== null) return schema.default
  const type = [schema.type].flat().find((each) => each !== 'null')
  if (type === 'object' || schema.properties !== undefined) return objectFor(schema, context, depth)
  if (type === 'array') {
    if (name === 'command') return ['echo', 'hello']
    return [valueFor(name.replace(/s$/, ''), objectOf(schema.items), context, depth + 1)]
  }
  if (type === 'integer' || type === 'number') return context.numbers.shift() ?? 1
  if (type === 'boolean') return false
  return textFor(name, context.prompt)
}

function objectFor(schema: JsonObject, context: Context, depth: number): Record<string, unknown> {
  const properties = objectOf(schema.properties)
  const required = arrayOf(schema.required).map(String)
  const wanted = required.length > 0 ? required : Object.keys(properties).slice(0, 1)
  // A schema may refer to itself: past four levels only the object is left.
  if (depth > 4) return {}
  return Object.fromEntries(
    wanted.map((name) => [name, valueFor(name, objectOf(properties[name]), context, depth + 1)]),
  )
}

function resolved(schema: JsonObject, root: JsonObject): JsonObject {
  const options = [...arrayOf(schema.anyOf), ...arrayOf(schema.oneOf)].map(objectOf)
  const option = options.find(({ type }) => type !== 'null')
  if (option) return resolved(option, root)
  const path = typeof schema.$ref === 'string' ? schema.$ref.split('/').slice(1) : []
  if (path.length === 0) return schema
  return path.reduce<JsonObject>((at, key) => objectOf(at[key]), root)
}

function textFor(name: string, prompt: string): string {
  if (/^(cmd|command|script)$/i.test(name)) return commandFor(prompt)
  if (/path|file|director/i.test(name)) {
    const path = /(?:[\w.-]*\/)+[\w.-]+|\b[\w-]+\.[a-z]{1,5}\b/.exec(prompt)?.[0]
    return path ?? (/director/i.test(name) ? '.' : 'README.md')
  }
  if (/city|location|place/i.test(name)) return /\bin ([A-Z]\w+)/.exec(prompt)?.[1] ?? 'Lisbon'
  if (/ur[il]$/i.test(name)) return 'https://example.com/'
  if (/pattern|glob/i.test(name)) return '*.md'
  if (/date/i.test(name)) return '2030-01-01'
  return prompt.slice(0, 60) || 'something'
}

/** Real agents run what we say: it must do no harm. */
function commandFor(prompt: string): string {
  return /\b(files|director|folder|ls)\b/i.test(prompt) ? 'ls' : "echo 'hello from the simulator'"
}
