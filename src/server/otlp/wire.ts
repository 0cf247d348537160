/** Writes protobuf into one buffer, which grows and is used again. */
export class Wire {
  #bytes: Buffer = Buffer.allocUnsafeSlow(64 * 1024)
  #end = 0

  get length(): number {
    return this.#end
  }

  /** All that was written, as a copy: the buffer is written anew. */
  take(): Uint8Array {
    const taken = Buffer.from(this.#bytes.subarray(0, this.#end))
    this.#end = 0
    return taken
  }

  /** Forgets what was written last: to this length. */
  cut(length: number): void {
    this.#end = length
  }

  append(bytes: Uint8Array): void {
    this.#reserve(bytes.length)
    this.#bytes.set(bytes, this.#end)
    this.#end += bytes.length
  }

  /** A field's number and wire type, as one byte: fields up to 15. */
  byte(value: number): void {
    this.#reserve(1)
    this.#bytes[this.#end++] = value
  }

  /** Begins a message whose length is not known yet, for which so many bytes are kept free. */
  open(lengthBytes: number): number {
    this.#reserve(lengthBytes)
    this.#end += lengthBytes
    return this.#end
  }

  /** Ends the message that began there. */
  close(start: number, lengthBytes: number): void {
    const length = this.#end - start
    const needed = varintBytes(length)
    if (needed !== lengthBytes) {
      this.#reserve(needed)
      this.#bytes.copyWithin(start - lengthBytes + needed, start, this.#end)
      this.#end += needed - lengthBytes
    }
    this.#putVarint(length, start - lengthBytes)
  }

  /** A whole number, not negative, below 2³¹. */
  varint(value: number): void {
    this.#reserve(5)
    this.#end = this.#putVarint(value, this.#end)
  }

  int64(value: number): void {
    if (value >= 0 && value < 2 ** 31) return this.varint(value)
    let rest = BigInt.asUintN(64, BigInt(value))
    for (; rest > 0x7fn; rest >>= 7n) this.byte(Number(rest & 0x7fn) | 0x80)
    this.byte(Number(rest))
  }

  double(value: number): void {
    this.#reserve(8)
    this.#end = this.#bytes.writeDoubleLE(value, this.#end)
  }

  fixed32(value: number): void {
    this.#reserve(4)
    this.#end = this.#bytes.writeUInt32LE(value, this.#end)
  }

  /** A time as nanoseconds: more than a number holds, so in two halves that each are exact. */
  nanoseconds([seconds, nanos]: readonly [number, number]): void {
    const upper = Math.floor(seconds / 65_536) * 1e9
    const lower = (seconds % 65_536) * 1e9 + nanos
    const low = (upper % 65_536) * 65_536 + (lower % two32)
    this.#reserve(8)
    this.#bytes.writeUInt32LE(low % two32, this.#end)
    const carried = Math.floor(low / two32) + Math.floor(lower / two32)
    this.#end = this.#bytes.writeUInt32LE(Math.floor(upper / 65_536) + carried, this.#end + 4)
  }

  milliseconds(value: number): void {
    this.nanoseconds([Math.trunc(value / 1000), Math.round((value % 1000) * 1e6)])
  }

  /** A new span's id. */
  randomId(): void {
    this.byte(8)
    // Never only zeros, which is no id.
    this.fixed32(Math.floor(Math.random() * (two32 - 1)) + 1)
    this.fixed32(Math.floor(Math.random() * two32))
  }

  /** An id that is written in hexadecimal digits. */
  id(hex: string): void {
    const length = hex.length >> 1
    this.varint(length)
    this.#reserve(length)
    for (let at = 0; at < hex.length; at += 2) {
      const high = digits[hex.charCodeAt(at)] ?? 0
      this.#bytes[this.#end++] = (high << 4) | (digits[hex.charCodeAt(at + 1)] ?? 0)
    }
  }

  /** Most are short and ASCII: for those a call into C++ costs more than the loop. */
  string(text: string): void {
    const { length } = text
    if (length > 40) return this.#longString(text)
    this.#reserve(length + 1)
    let at = this.#end + 1
    for (let index = 0; index < length; index++) {
      const code = text.charCodeAt(index)
      if (code > 0x7f) return this.#longString(text)
      this.#bytes[at++] = code
    }
    this.#bytes[this.#end] = length
    this.#end = at
  }

  #longString(text: string): void {
    // A UTF-16 unit takes three bytes at most.
    this.#reserve(5 + text.length * 3)
    const guess = varintBytes(text.length)
    const start = this.open(guess)
    this.#end += this.#bytes.write(text, start, 'utf8')
    this.close(start, guess)
  }

  #putVarint(value: number, at: number): number {
    let end = at
    let rest = value
    for (; rest > 0x7f; rest >>>= 7) this.#bytes[end++] = (rest & 0x7f) | 0x80
    this.#bytes[end++] = rest
    return end
  }

  #reserve(more: number): void {
    const needed = this.#end + more
    if (needed <= this.#bytes.length) return
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, this.#bytes.length * 2))
    this.#bytes.copy(larger, 0, 0, this.#end)
    this.#bytes = larger
  }
}

function varintBytes(value: number): number {
  if (value < 1 << 7) return 1
  if (value < 1 << 14) return 2
  if (value < 1 << 21) return 3
  return value < 1 << 28 ? 4 : 5
}

const two32 = 2 ** 32

const digits = Uint8Array.from({ length: 128 }, (_, code) => {
  const digit = Number.parseInt(String.fromCharCode(code), 16)
  return Number.isNaN(digit) ? 0 : digit
})
