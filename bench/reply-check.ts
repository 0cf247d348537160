/** Reads HTTP/1.1 replies with little work, and compares the body with the one that must come. */
export class ReplyCheck {
  status = 0
  /** Bytes of the body so far. */
  received = 0
  same = true
  done = false
  closes = false
  readonly #expected: Buffer
  #state: 'head' | 'fixed' | 'size' | 'chunk' | 'gap' | 'trailer' = 'head'
  #head: Buffer = Buffer.alloc(0)
  /** Bytes until the end of the body, the chunk or the line breaks. */
  #left = 0
  #size = 0

  constructor(expected: Buffer) {
    this.#expected = expected
  }

  push(data: Buffer): void {
    let at = this.#state === 'head' ? this.#readHead(data) : 0
    const bytes = this.#head.length > 0 ? this.#head : data
    while (at < bytes.length && !this.done) at = this.#step(bytes, at)
    if (this.#state !== 'head') this.#head = empty
  }

  /** Where the body begins in what was kept of the head and the new bytes. */
  #readHead(data: Buffer): number {
    this.#head = Buffer.concat([this.#head, data])
    const end = this.#head.indexOf('\r\n\r\n')
    if (end < 0) return this.#head.length
    const head = this.#head.toString('latin1', 0, end)
    this.status = Number(head.slice(9, 12))
    this.closes = /\r\nconnection: *close/i.test(head)
    const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1]
    this.#state = length === undefined ? 'size' : 'fixed'
    this.#left = Number(length ?? 0)
    if (length === '0') this.#finish()
    return end + 4
  }

  #step(bytes: Buffer, at: number): number {
    switch (this.#state) {
      case 'size':
        return this.#readSize(bytes, at)
      case 'gap':
      case 'trailer':
        return this.#skipLineBreaks(at)
      default:
        return this.#compare(bytes, at)
    }
  }

  #compare(bytes: Buffer, at: number): number {
    const end = Math.min(bytes.length, at + this.#left)
    const upTo = this.received + end - at
    this.same &&=
      upTo <= this.#expected.length &&
      this.#expected.compare(bytes, at, end, this.received, upTo) === 0
    this.received = upTo
    this.#left -= end - at
    if (this.#left > 0) return end
    if (this.#state === 'fixed') this.#finish()
    else this.#await('gap', 2)
    return end
  }

  /** Hexadecimal digits up to the line's end. */
  #readSize(bytes: Buffer, from: number): number {
    for (let at = from; at < bytes.length; at++) {
      const byte = bytes[at] ?? 0
      if (byte === 0x0a) {
        this.#await(this.#size === 0 ? 'trailer' : 'chunk', this.#size === 0 ? 2 : this.#size)
        return at + 1
      }
      if (byte !== 0x0d)
        this.#size = this.#size * 16 + Number.parseInt(String.fromCharCode(byte), 16)
    }
    return bytes.length
  }

  #skipLineBreaks(at: number): number {
    this.#left -= 1
    if (this.#left > 0) return at + 1
    if (this.#state === 'trailer') this.#finish()
    else this.#await('size', 0)
    return at + 1
  }

  #await(state: 'size' | 'chunk' | 'gap' | 'trailer', left: number): void {
    this.#state = state
    this.#left = left
    if (state !== 'chunk') this.#size = 0
  }

  #finish(): void {
    this.done = true
    this.same &&= this.received === this.#expected.length
  }
}

const empty: Buffer = Buffer.alloc(0)
