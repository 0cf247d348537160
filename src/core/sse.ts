/** One server-sent event with its very bytes, or a whole JSON body. */
export interface Frame {
  /** The `event:` field; empty where there is none and for a JSON body. */
  readonly event: string
  /** The `data:` lines joined with a line feed, or the JSON body's text. */
  readonly data: string
  /** The bytes as they came. */
  readonly bytes: Uint8Array
}
