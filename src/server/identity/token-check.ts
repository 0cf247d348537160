import type { Caller } from './caller.ts'

/** One kind of token. */
export interface TokenCheck {
  /** By its looks: to tell it from a provider's key. */
  isOurs(text: string): boolean
  /** Whether it was found good not long ago: such a one costs nothing to check, however many others fail. */
  isKnown(text: string): boolean
  /** Who holds it. Throws one of the refusals. */
  caller(text: string): Promise<Caller>
}
