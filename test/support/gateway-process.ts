import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))

export interface CommandOptions {
  readonly folder?: string
  readonly env?: Readonly<Record<string, string>>
}

/** A folder of its own for a process to run in. */
export function workFolder(): string {
  return mkdtempSync(join(tmpdir(), 'sluice-run-'))
}

/** Starts `sluice` with these arguments, in a folder and an environment of its own. */
export function startCommand(
  args: readonly string[],
  { folder = workFolder(), env = {} }: CommandOptions = {},
): ChildProcess {
  const { PATH = '', HOME = '' } = process.env
  return spawn(process.execPath, [main, ...args], { cwd: folder, env: { PATH, HOME, ...env } })
}

export interface Finished {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs `sluice` to its end. */
export async function runCommand(
  args: readonly string[],
  options?: CommandOptions,
): Promise<Finished> {
  return finished(startCommand(args, options))
}

async function finished(child: ChildProcess): Promise<Finished> {
  const [stdout, stderr, [code]] = await Promise.all([
    textOf(child.stdout),
    textOf(child.stderr),
    once(child, 'exit') as Promise<[number | null]>,
  ])
  return { code, stdout, stderr }
}

export interface GatewayProcess {
  readonly url: string
  readonly child: ChildProcess
  readonly folder: string
  /** Resolves with the first line of standard error that matches, from the start on. */
  line(pattern: RegExp): Promise<string>
  /** All of standard output and error so far. */
  readonly output: () => { readonly stdout: string; readonly stderr: string }
  /** Ends it by a signal and tells its exit code. */
  stop(signal?: NodeJS.Signals): Promise<number | null>
}

/** Starts `sluice serve` on a free port and waits until it says that it listens. */
export async function startGateway(
  args: readonly string[] = [],
  { folder = workFolder(), env }: CommandOptions = {},
): Promise<GatewayProcess> {
  const child = startCommand(['serve', '--port', '0', ...args], { folder, ...(env && { env }) })
  const exited = once(child, 'exit') as Promise<[number | null]>
  const lines: string[] = []
  let stdout = ''
  const watchers = new Set<() => void>()
  const stderr = createInterface({ input: child.stderr as NodeJS.ReadableStream })
  stderr.on('line', (line) => {
    lines.push(line)
    for (const watch of watchers) watch()
  })
  const ready = new Promise<string>((resolve, reject) => {
    child.stdout?.on('data', (chunk) => {
      stdout += chunk
      const [, url] = /^sluice listening on (http:\S+)\n/.exec(stdout) ?? []
      if (url) resolve(url)
    })
    exited.then(
      ([code]) => reject(new Error(`sluice serve ended with ${code}: ${lines.join('\n')}`)),
      reject,
    )
  })
  return {
    url: await ready,
    child,
    folder,
    output: () => ({ stdout, stderr: lines.join('\n') }),
    line: (pattern) =>
      new Promise((resolve) => {
        const watch = () => {
          const found = lines.find((line) => pattern.test(line))
          if (found === undefined) return
          watchers.delete(watch)
          resolve(found)
        }
        watchers.add(watch)
        watch()
      }),
    stop: async (signal = 'SIGTERM') => {
      child.kill(signal)
      const [code] = await exited
      return code
    },
  }
}

async function textOf(stream: NodeJS.ReadableStream | null): Promise<string> {
  let text = ''
  if (stream) for await (const chunk of stream) text += String(chunk)
  return text
}
