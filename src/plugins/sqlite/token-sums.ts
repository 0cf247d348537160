import { parsedOr } from './parsed-or.ts'

/** Numbers by name, each with how many have it: a name leaves when nobody has it any more. */
export type TokenSums = Record<string, [sum: number, from: number]>

/** As they are stored; of what is damaged nothing. */
export function tokenSums(text: unknown): TokenSums {
  const entries = Object.entries(parsedOr<object>(text, {})).filter(([, sum]) => Array.isArray(sum))
  return Object.assign(noTokens(), Object.fromEntries(entries))
}

/** Without a prototype: a name may be any. */
export function noTokens(): TokenSums {
  return Object.create(null) as TokenSums
}

export function addNumbers(
  sums: TokenSums,
  numbers: Readonly<Record<string, number>>,
  sign: 1 | -1,
): void {
  for (const [name, value] of Object.entries(numbers)) {
    const [sum, from] = own(sums, name)
    sums[name] = [sum + sign * value, from + sign]
  }
}

export function addSums(sums: TokenSums, more: TokenSums): TokenSums {
  const total = Object.assign(noTokens(), sums)
  for (const [name, [value, count]] of Object.entries(more)) {
    const [sum, from] = own(total, name)
    if (from + count > 0) total[name] = [sum + value, from + count]
    else delete total[name]
  }
  return total
}

export function numbersOf(sums: TokenSums): Record<string, number> {
  return Object.fromEntries(Object.entries(sums).map(([name, [sum]]) => [name, sum]))
}

function own(sums: TokenSums, name: string): [number, number] {
  return (Object.hasOwn(sums, name) ? sums[name] : undefined) ?? [0, 0]
}
