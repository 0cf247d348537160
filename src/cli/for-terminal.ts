/**
 * Text for programs, as it may be shown on a terminal: what would drive one, or turn text around, is told by its number
 * (`\u009b`), which in JSON means the same. Into pipes and files it goes as it is.
 */
export function forTerminal(text: string, isTerminal: boolean = process.stdout.isTTY): string {
  return isTerminal ? text.replace(driving, numbered) : text
}

// Line feeds and tabulators stay.
const driving = /(?![\n\t])[\p{Cc}\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu

function numbered(sign: string): string {
  return `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`
}
