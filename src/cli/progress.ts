export interface Progress {
  tell(done: number): void
  /** Wipes the line away. */
  end(): void
}

/** A line on standard error that says how far it is, where somebody looks at it and `isSeen`. */
export function progress(noun: string, total?: number, isSeen = true): Progress {
  const { stderr } = process
  if (!stderr.isTTY || !isSeen) return { tell: () => {}, end: () => {} }
  const of = total === undefined ? '' : ` of ${total.toLocaleString('en-US')}`
  let last = Number.NEGATIVE_INFINITY
  return {
    tell: (done) => {
      const now = performance.now()
      if (now - last < 100) return
      last = now
      stderr.write(`\r\x1b[K${done.toLocaleString('en-US')}${of} ${noun}`)
    },
    end: () => {
      stderr.write('\r\x1b[K')
    },
  }
}
