/** A name as a header carries it (Node gives header bytes as latin-1; names are UTF-8); undefined where it is unusable. */
export function usernameOf(header: string): string | undefined {
  const text = Buffer.from(header, 'latin1').toString('utf8').trim()
  return isUsername(text) ? text : undefined
}

/** Whether a text can be shown, logged and told apart by eye. */
export function isUsername(text: string): boolean {
  return text !== '' && text === text.trim() && text.length <= 256 && !unusable.test(text)
}

const unusable = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\ufffd]/u
