import { parentPort } from 'node:worker_threads'
import { type Fault, faultOf } from './fault.ts'

export interface Call {
  readonly id: number
  readonly method: string
  readonly argument: unknown
}

export type Reply =
  | { readonly id: number; readonly result: unknown }
  | { readonly id: number; readonly error: Fault }

/** What a worker can be asked; what takes long answers with a promise, and lets others be answered meanwhile. */
export type Methods = Readonly<Record<string, (argument: never) => unknown>>

/** Answers the main thread's calls, begun in order. Opens with the first; where that fails, again with the next. */
export function serve(path: string, open: () => Methods): void {
  let methods: Methods | undefined

  function answer({ id, method, argument }: Call): void {
    const failed = (error: unknown) => send({ id, error: faultOf(error, path) })
    try {
      // What did not open need not be closed.
      if (method === 'close' && !methods) return send({ id, result: undefined })
      methods ??= open()
      const result = methods[method]?.(argument as never)
      if (!(result instanceof Promise)) return send({ id, result })
      result.then((result: unknown) => send({ id, result })).catch(failed)
    } catch (error) {
      failed(error)
    }
  }

  function send(reply: Reply): void {
    parentPort?.postMessage(reply)
  }

  parentPort?.on('message', answer)
}
