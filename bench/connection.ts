import { connect, type Socket } from 'node:net'
import { ReplyCheck } from './reply-check.ts'

export interface Exchanged {
  /** Null where the reply is right, else what is wrong with it. */
  readonly fault: string | null
  readonly firstByteMs: number
  readonly totalMs: number
}

/** A client on one keep-alive connection, light enough never to be the slow part. */
export class Connection {
  readonly #port: number
  #socket: Socket | undefined
  #check: ReplyCheck | undefined
  #startedAt = 0
  #firstByteAt = 0
  #settle: (exchanged: Exchanged) => void = () => {}

  constructor(port: number) {
    this.#port = port
  }

  /** Bytes of the current reply's body so far. */
  get received(): number {
    return this.#check?.received ?? 0
  }

  /** True while a reply goes on as it should. */
  get healthy(): boolean {
    return this.#check?.status === 200 && this.#check.same && !this.#check.done
  }

  exchange(request: Buffer, expected: Buffer): Promise<Exchanged> {
    this.#check = new ReplyCheck(expected)
    this.#firstByteAt = 0
    this.#startedAt = performance.now()
    this.#socket ??= this.#open()
    this.#socket.write(request)
    return new Promise((resolve) => {
      this.#settle = resolve
    })
  }

  close(): void {
    this.#socket?.destroy()
    this.#socket = undefined
  }

  #open(): Socket {
    const socket = connect({ port: this.#port, host: '127.0.0.1', noDelay: true })
    socket.on('data', (data) => this.#read(data))
    socket.on('error', (error) => this.#end(error.message))
    socket.on('close', () => {
      if (this.#socket === socket) this.#socket = undefined
      this.#end('the connection was closed early')
    })
    return socket
  }

  #read(data: Buffer): void {
    const check = this.#check
    if (!check) return
    check.push(data)
    if (this.#firstByteAt === 0 && check.received > 0) this.#firstByteAt = performance.now()
    if (!check.done) return
    if (check.closes) this.close()
    const status = check.status === 200 ? null : `status ${check.status}`
    this.#end(status ?? (check.same ? null : 'other bytes than the upstream sent'))
  }

  #end(fault: string | null): void {
    const settle = this.#settle
    this.#settle = () => {}
    this.#check = fault === null ? undefined : this.#check
    settle({
      fault,
      firstByteMs: this.#firstByteAt - this.#startedAt,
      totalMs: performance.now() - this.#startedAt,
    })
  }
}
