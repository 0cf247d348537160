import type { Fault } from './fault.ts'

export interface Terms {
  readonly terms: readonly { readonly field: string; readonly value: string }[]
  readonly faults: readonly Fault[]
}

/**
 * What `q` asks for: `key:value` terms, separated by spaces; quotes protect spaces and colons. What has no key is
 * the value of `bare`, words joined by spaces; where there is none a key is missing.
 */
export function searchTerms(q: string, bare?: string): Terms {
  const terms: { field: string; value: string }[] = []
  const faults: Fault[] = []
  const words: string[] = []
  for (const element of pieces(q, ' ')) {
    const parts = pieces(element, ':', true)
    const [name = '', value] = parts
    if (element.startsWith(':') || element.endsWith(':'))
      faults.push(about(`Query element "${element}" cannot start or end with ':'`))
    else if (parts.length > 2)
      faults.push(about(`Query element "${element}" can only contain 1 ':'`))
    else if (value === undefined) words.push(unquoted(name))
    else terms.push({ field: unquoted(name).toLowerCase(), value: unquoted(value) })
  }
  const text = words.join(' ')
  if (text !== '' && bare !== undefined) terms.push({ field: bare, value: text })
  else if (text !== '') faults.push(about(`Query element "${text}" has no key: write key:value`))
  return { terms, faults }
}

function about(detail: string): Fault {
  return { field: 'q', detail }
}

/** The text between separators that stand in no quotes; empty pieces only where they are asked for. */
function pieces(text: string, separator: string, withEmpty = false): string[] {
  const found: string[] = []
  let piece = ''
  let quoted = false
  for (const sign of text) {
    if (sign === '"') quoted = !quoted
    if (sign === separator && !quoted) {
      found.push(piece)
      piece = ''
    } else piece += sign
  }
  found.push(piece)
  return withEmpty ? found : found.filter((each) => each !== '')
}

function unquoted(text: string): string {
  return text.replace(/^"|"$/g, '')
}
