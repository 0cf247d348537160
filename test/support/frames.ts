import type { Frame } from '../../src/core/sse.ts'

/** A frame with the given event name and data, JSON unless it is text already. */
export function frame(event: string, data: unknown): Frame {
  const text = typeof data === 'string' ? data : JSON.stringify(data)
  const lines = `${event === '' ? '' : `event: ${event}\n`}data: ${text}\n\n`
  return { event, data: text, bytes: Buffer.from(lines) }
}

/** The frames of a recorded stream; enough of a splitter for well-formed ones. */
export function framesOf(stream: string): Frame[] {
  return stream
    .split(/\r?\n\r?\n/)
    .map((block) => {
      const fields = block.split(/\r?\n/)
      const valuesOf = (name: string) =>
        fields
          .filter((line) => line.startsWith(`${name}:`))
          .map((line) => line.slice(name.length + 1).replace(/^ /, ''))
      return frame(valuesOf('event').at(-1) ?? '', valuesOf('data').join('\n'))
    })
    .filter(({ data }) => data !== '')
}
