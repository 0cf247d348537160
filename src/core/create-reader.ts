import { BodyReader } from './body-reader.ts'
import { DecodingReader } from './decoding-reader.ts'
import type { Format, Round } from './format.ts'
import { headerValue } from './headers.ts'
import type { ReaderOptions, ReplyReader } from './reply-reader.ts'
import { SniffingReader, type SniffingReaderOptions } from './sniffing-reader.ts'
import { SseReader } from './sse-reader.ts'
import type { Reply } from './upstream.ts'

export interface CreatedReader {
  readonly reader: ReplyReader
  readonly round: Round
  /** The client gets other bytes than the upstream sent: the usage that we asked for is taken out. */
  readonly edited: boolean
}

export interface CreateReaderOptions extends Omit<ReaderOptions, 'round'> {
  readonly format: Format
  /** 0 for the first upstream call of the interception. */
  readonly roundNumber: number
  /** What the request asked for: a reply to one that wants no stream is none, unless it says so. */
  readonly wantsStream: boolean
  readonly askedUsage: boolean
  /** True while nobody looks at texts or frames. */
  readonly skim: () => boolean
}

/** Chooses how a reply is read: by its content type, or where that may be wrong by its first bytes; and its encoding. */
export function createReader(
  { status, headers }: Reply,
  {
    askedUsage,
    roundNumber,
    wantsStream,
    format,
    emit,
    terminal,
    frame,
    skim,
  }: CreateReaderOptions,
): CreatedReader {
  const type = headerValue(headers, 'content-type') ?? ''
  const streaming = /^\s*text\/event-stream\b/i.test(type)
  const encoding = (headerValue(headers, 'content-encoding') ?? 'identity').trim().toLowerCase()
  const encoded = encoding !== 'identity' && encoding !== ''
  const edited = askedUsage && !encoded && (streaming || !/\bjson\b/i.test(type))
  const create = (streaming: boolean) => {
    const round = format.createRound({ round: roundNumber, streaming, status })
    const shared = { format, round, emit, terminal, frame }
    const reader = streaming
      ? new SseReader({ ...shared, askedUsage: edited, skim })
      : new BodyReader({ ...shared, roundNumber, status })
    return { reader, round }
  }
  const sure = status < 400 ? streaming || !wantsStream : !streaming
  const { reader, round } = sure ? create(streaming) : sniffing({ streaming, create })
  return { reader: encoded ? new DecodingReader(encoding, reader) : reader, round, edited }
}

function sniffing(options: SniffingReaderOptions): { reader: ReplyReader; round: Round } {
  const reader = new SniffingReader(options)
  return { reader, round: reader.round }
}
