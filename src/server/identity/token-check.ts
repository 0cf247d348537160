import type { Caller } from './caller.ts'

/** How tokens of one kind are told from a provider's key and other texts. */
export interface TokenLooks {
  /** Each token has one of these in it: a quick look before the close one. */
  readonly marks: readonly string[]
  isOurs(text: string): boolean
}

/** One kind of token. */
export interface TokenCheck extends TokenLooks {
  /** Whether it was found good not long ago: such a one costs nothing to check, however many others fail. */
  isKnown(text: string): boolean
  /** Who holds it. Throws one of the refusals. */
  caller(text: string): Promise<Caller>
}
