import { relative } from 'node:path'
import { finished } from 'node:stream/promises'
import type { EventData, run } from 'node:test'
import { styleText } from 'node:util'

export interface FailedTest {
  readonly name: string
  readonly where: string
  readonly error: unknown
}

export interface SkippedTest {
  readonly name: string
  readonly where: string
  readonly reason: string
}

type TestsStream = ReturnType<typeof run>
type Ended = EventData.TestPass | EventData.TestFail

/** What came of one test file. */
export class TestFileReport {
  readonly failed: FailedTest[] = []
  readonly skipped: SkippedTest[] = []
  passed = 0
  readonly #root: string
  readonly #path: string
  readonly #done: (report: TestFileReport) => void
  readonly #started = performance.now()
  readonly #names: string[] = []
  #output = ''

  constructor(root: string, path: string, done: (report: TestFileReport) => void) {
    this.#root = root
    this.#path = path
    this.#done = done
  }

  /** Resolves when the file's process has ended. */
  async watch(stream: TestsStream): Promise<void> {
    const keep = ({ message }: { readonly message: string }) => {
      this.#output = (this.#output + message).slice(-20_000)
    }
    stream.on('test:start', ({ nesting, name }) => this.#names.splice(nesting, Infinity, name))
    stream.on('test:stdout', keep)
    stream.on('test:stderr', keep)
    // Such as an error after the test's end; the runner's own sums have no file.
    stream.on('test:diagnostic', ({ file, message }) => {
      if (file !== undefined) keep({ message: `${message}\n` })
    })
    stream.on('test:pass', (data) => this.#pass(data))
    stream.on('test:fail', (data) => this.#fail(data))
    await finished(stream.resume())
    this.#close()
  }

  #close(): void {
    const ms = Math.round(performance.now() - this.#started)
    const bad = this.failed.length > 0
    const counts = [`${this.passed} passed`]
    if (bad) counts.push(`${this.failed.length} failed`)
    if (this.skipped.length > 0) counts.push(`${this.skipped.length} skipped`)
    console.log(
      bad ? styleText('red', '✖') : styleText('green', '✔'),
      `${this.#path}: ${counts.join(', ')}`,
      styleText('dim', `(${ms} ms)`),
    )
    // A passing file's chatter helps nobody; a failing one's is often the reason.
    if (bad && this.#output !== '') console.log(this.#output.replaceAll(/^(?=.)/gm, '  | '))
    this.#done(this)
  }

  #pass(data: EventData.TestPass): void {
    const reason = data.skip ?? data.todo
    if (reason !== undefined && reason !== false) {
      const text = typeof reason === 'string' && reason !== '' ? reason : 'no reason given'
      this.skipped.push({ ...this.#naming(data), reason: text })
    } else if (data.details.type !== 'suite' && !this.#isFile(data)) this.passed++
  }

  #fail(data: EventData.TestFail): void {
    // What was thrown is the cause of what the runner says of it.
    const error = data.details.error as Error & { readonly failureType?: string }
    // The subtests that failed are told of themselves.
    if (error.failureType === 'subtestsFailed') return
    if (data.todo !== undefined && data.todo !== false) {
      this.skipped.push({ ...this.#naming(data), reason: `to do: ${data.todo}` })
      return
    }
    this.failed.push({ ...this.#naming(data), error: this.#explain(data, error) })
  }

  #explain(data: Ended, error: Error & { readonly failureType?: string }): unknown {
    if (error.failureType === 'testAborted')
      return 'its process did not end in time: it hangs, or a socket, timer or worker was left open'
    if (this.#isFile(data)) return 'it did not load, or its process failed: its output is above'
    return error.cause ?? error
  }

  /** The runner's own entry for the whole file: there when it failed to load, hung, or has no test. */
  #isFile(data: Ended): boolean {
    return data.nesting === 0 && data.name === data.file
  }

  #naming(data: Ended): { name: string; where: string } {
    if (this.#isFile(data)) return { name: this.#path, where: this.#path }
    const parents = this.#names.slice(0, data.nesting)
    const file = data.file === undefined ? this.#path : relative(this.#root, data.file)
    return { name: [...parents, data.name].join(' › '), where: `${file}:${data.line ?? '?'}` }
  }
}
