/** The text on one line and without control characters: a model's or a user's name may not drive a terminal. */
export function printable(text: string): string {
  // Joiners are within letters: one person of an emoji's family, an ending of a Persian word.
  return text.replace(/((?![\u200c\u200d])[\p{Cc}\p{Cf}\u2028\u2029])+/gu, ' ')
}
