import { inspect, styleText } from 'node:util'
import { type FailedTest, type SkippedTest, TestFileReport } from './test-file-report.ts'

/** Tells of each file as it ends, of failures and skips at the end, by name, and closes with the sums. */
export class TestReport {
  readonly #root: string
  readonly #started = performance.now()
  readonly #failed: FailedTest[] = []
  readonly #skipped: SkippedTest[] = []
  #passed = 0

  constructor(root: string) {
    this.#root = root
  }

  /** False where a test failed, and where none ran at all. */
  get green(): boolean {
    return this.#failed.length === 0 && this.#passed > 0
  }

  file(path: string): TestFileReport {
    return new TestFileReport(this.#root, path, (file) => {
      this.#passed += file.passed
      this.#failed.push(...file.failed)
      this.#skipped.push(...file.skipped)
    })
  }

  close(): void {
    if (this.#failed.length > 0) {
      console.log(styleText('red', `\nFAILED (${this.#failed.length})`))
      for (const { name, where, error } of this.#failed) {
        console.log(styleText('red', `\n✖ ${name}`), styleText('dim', `(${where})`))
        console.log(indent(textOf(error)))
      }
    }
    if (this.#skipped.length > 0) {
      console.log(styleText('yellow', `\nSKIPPED, NOT TESTED HERE (${this.#skipped.length})`))
      for (const { name, where, reason } of this.#skipped)
        console.log(styleText('yellow', `- ${name}: ${reason}`), styleText('dim', `(${where})`))
    }
    if (this.#passed + this.#failed.length === 0) console.log('\nNo test ran.')
    console.log(`\nin ${((performance.now() - this.#started) / 1000).toFixed(1)} s`)
    // Read by programs: alone on its line, and the last one.
    const skipped = this.#skipped.length > 0 ? `, ${this.#skipped.length} skipped` : ''
    console.log(`${this.#passed} passed, ${this.#failed.length} failed${skipped}`)
  }
}

function textOf(error: unknown): string {
  // Its message shows the difference; the whole of both sides, which inspect adds, can be pages.
  if (error instanceof Error && 'code' in error && error.code === 'ERR_ASSERTION')
    return `${error.stack}`
  return typeof error === 'string' ? error : inspect(error)
}

function indent(text: string): string {
  return text.replaceAll(/^/gm, '  ')
}
