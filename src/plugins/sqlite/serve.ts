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

/** What a worker can be asked; every method answers at once. */
export type Methods = Readonly<Record<string, (argument: never) => unknown>>

/** Answers the main thread's calls in order. Opens with the first; where that fails, again with the next. */
export function serve(path: string, open: () => Methods): void {
  let methods: Methods | undefined

  function answer({ id, method, argument }: Call): Reply {
    try {
      // What did not open need not be closed.
      if (method === 'close' && !methods) return { id, result: undefined }
      methods ??= open()
      return { id, result: methods[method]?.(argument as never) }
    } catch (error) {
      return { id, error: faultOf(error, path) }
    }
  }

  parentPort?.on('message', (call: Call) => parentPort?.postMessage(answer(call)))
}
