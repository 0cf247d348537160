import { hash, randomBytes } from 'node:crypto'
import { crc32 } from 'node:zlib'
import type { TokenLooks } from './token-check.ts'

const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
/** What scanners look for. */
const prefix = 'sluice_'
const form = /^sluice_([0-9A-Za-z]{40})([0-9A-Za-z]{6})$/

/** 238 random bits behind a prefix that scanners of repositories can look for, and a checksum that tells real ones. */
export function createToken(): string {
  const secret = randomLetters(40)
  return `${prefix}${secret}${checksum(secret)}`
}

/** Whether a text is such a token, right to its checksum. */
export function isToken(text: string): boolean {
  const [, secret, sum] = form.exec(text) ?? []
  return secret !== undefined && checksum(secret) === sum
}

/** These tokens by their looks. */
export const tokenLooks: TokenLooks = { marks: [prefix], isOurs: isToken }

/** All that is kept of a token. What has so many random bits needs no salt and no slow hash. */
export function hashToken(token: string): string {
  return hash('sha256', token)
}

/** Bytes past the last whole round of the alphabet are thrown away: no letter is likelier than another. */
function randomLetters(count: number): string {
  let letters = ''
  while (letters.length < count) {
    for (const byte of randomBytes(count)) {
      if (byte < 248 && letters.length < count) letters += alphabet[byte % 62]
    }
  }
  return letters
}

function checksum(text: string): string {
  let rest = crc32(text)
  let letters = ''
  for (let i = 0; i < 6; i++) {
    letters = `${alphabet[rest % 62]}${letters}`
    rest = Math.trunc(rest / 62)
  }
  return letters
}
