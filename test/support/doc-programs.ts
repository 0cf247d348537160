import { execFileSync, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { project } from './doc-blocks.ts'

export interface Program {
  /** Its file's name, without ending. */
  readonly name: string
  readonly source: string
}

/** A folder outside the project with these programs in it, and what they need to be checked and run. */
export function programFolder(programs: readonly Program[]): string {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-docs-'))
  symlinkSync(join(project, 'node_modules'), join(folder, 'node_modules'))
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
  // A block may show how something is made and leave it there.
  const compilerOptions = { noUnusedLocals: false }
  const tsconfig = { extends: join(project, 'tsconfig.json'), include: ['*.ts'], compilerOptions }
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(tsconfig))
  for (const { name, source } of programs) writeFileSync(join(folder, `${name}.ts`), `${source}\n`)
  return folder
}

/** What the compiler says of the programs in the folder; empty where they are fine. */
export function typeFaults(folder: string): string {
  const compiler = join(project, 'node_modules', 'typescript', 'bin', 'tsc')
  try {
    execFileSync(process.execPath, [compiler, '--project', folder], { encoding: 'utf8' })
    return ''
  } catch (error) {
    const { stdout } = error as { stdout: string }
    // Faults of the project itself are told by `npm run check`.
    const faults = stdout.split('\n').filter((line) => /^\S*block-\d+\.ts/.test(line))
    return faults.join('\n')
  }
}

export interface Run {
  /** Of the first server that it starts; rejects where it ends without one. */
  readonly url: Promise<string>
  /** Its exit code, and what it said on standard error. */
  readonly ended: Promise<{ readonly code: number | null; readonly stderr: string }>
  stop(signal?: NodeJS.Signals): void
}

/** Runs a program of the folder, with the package's name standing for the project's source. */
export function runProgram(folder: string, name: string, simulatorUrl: string): Run {
  const child = fork(join(folder, `${name}.ts`), [], {
    cwd: folder,
    execArgv: ['--import', join(project, 'test/support/block-hooks.ts')],
    env: {
      PATH: process.env.PATH,
      SIMULATOR_URL: simulatorUrl,
      ANTHROPIC_API_KEY: 'sk-ant-test',
      OPENAI_API_KEY: 'sk-test',
    },
    silent: true,
  })
  child.stdout?.resume()
  const ended = (async () => {
    const said = text(child.stderr as NodeJS.ReadableStream)
    const [code] = (await once(child, 'exit')) as [number | null]
    return { code, stderr: await said }
  })()
  const url = Promise.race([
    once(child, 'message').then(([{ port }]) => `http://127.0.0.1:${port}`),
    ended.then(({ code, stderr }) => Promise.reject(new Error(`ended with ${code}: ${stderr}`))),
  ])
  // Only some programs are servers.
  url.catch(() => {})
  return { url, ended, stop: (signal = 'SIGKILL') => child.kill(signal) }
}

export function removeFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true })
}
