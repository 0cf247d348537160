import { isObject } from '../../core/json.ts'

/**
 * `JSON.stringify(value)` in pieces, none of which is larger than the largest record: lists of objects are told one by
 * one, at any depth. One text for all of them could be longer than V8's longest. A list may also be an iterable that
 * makes its members only now.
 */
export function* jsonPieces(value: unknown): Generator<string, void> {
  if (isMadeLater(value) || (Array.isArray(value) && holdsObjects(value))) {
    let before = '['
    for (const each of value) {
      yield before
      yield* jsonPieces(each)
      before = ','
    }
    yield before === '[' ? '[]' : ']'
  } else if (isObject(value) && Object.values(value).some(holdsObjects)) {
    let before = '{'
    for (const [name, member] of Object.entries(value)) {
      if (member === undefined) continue
      yield `${before}${JSON.stringify(name)}:`
      yield* jsonPieces(member)
      before = ','
    }
    yield '}'
  } else yield JSON.stringify(value) ?? 'null'
}

/** `{...head, [name]: rows}` in pieces, where the rows are still to be read. */
export async function* jsonListPieces(
  head: object,
  name: string,
  rows: AsyncIterable<unknown>,
): AsyncGenerator<string, void> {
  const begun = JSON.stringify(head).slice(0, -1)
  yield `${begun}${begun === '{' ? '' : ','}${JSON.stringify(name)}:[`
  let before = ''
  for await (const row of rows) {
    yield before
    yield* jsonPieces(row)
    before = ','
  }
  yield ']}'
}

function holdsObjects(value: unknown): boolean {
  if (isMadeLater(value)) return true
  return Array.isArray(value) && value.some((each) => typeof each === 'object' && each !== null)
}

function isMadeLater(value: unknown): value is Iterable<unknown> {
  return (
    typeof value === 'object' && value !== null && Symbol.iterator in value && !Array.isArray(value)
  )
}
