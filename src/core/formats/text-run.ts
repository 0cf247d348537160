/** The inside of a string of JSON, on one line. */
export const inString: string = String.raw`[^"\\\n]*(?:\\.[^"\\\n]*)*`

/** Of each spelling a block, and what all that follow it have to look like: `\1` is what the first one captured. */
export function textRunOf(...spellings: readonly { first: string; again: string }[]): RegExp {
  const runs = spellings.map(({ first, again }) => `${first}\n\n(?:${again}\n\n)+`)
  return new RegExp(runs.join('|'), 'y')
}
