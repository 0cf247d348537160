import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, existsSync, globSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { after, before, test } from 'node:test'

const project = resolve(import.meta.dirname, '..')
let folder: string
/** Where the unpacked package lies. */
let installed: string

before(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-package-'))
  const source = join(folder, 'source')
  for (const name of ['package.json', 'README.md', 'LICENSE', 'docs'])
    if (existsSync(join(project, name)))
      cpSync(join(project, name), join(source, name), { recursive: true })
  const compiler = join(project, 'node_modules', 'typescript', 'bin', 'tsc')
  // Types are checked elsewhere.
  const built = ['--project', 'tsconfig.build.json', '--noCheck', '--outDir', join(source, 'dist')]
  execFileSync(process.execPath, [compiler, ...built], { cwd: project, stdio: 'inherit' })
  // Quiet about what npm thinks of this machine's settings, with nothing looked up.
  const pack = ['pack', '--ignore-scripts', '--offline', '--silent', '--pack-destination', folder]
  const tarball = execFileSync('npm', pack, { cwd: source, encoding: 'utf8' }).trim()
  installed = join(folder, 'node_modules', 'sluice')
  mkdirSync(installed, { recursive: true })
  execFileSync('tar', ['-xzf', join(folder, tarball), '-C', installed, '--strip-components=1'])
  // Its dependencies, which an install would download.
  symlinkSync(join(project, 'node_modules'), join(installed, 'node_modules'))
})
after(() => rmSync(folder, { recursive: true, force: true }))

test('the package runs from its tarball: serves, stores in a worker, ends at SIGTERM', async () => {
  const store = `sqlite:${join(folder, 'data', 'sluice.db')}`
  const args = [join(installed, 'dist/cli/main.js'), 'serve', '--port', '0', '--store', store]
  const sluice = spawn(process.execPath, args, {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const exit = once(sluice, 'exit')
  const line = await Promise.race([
    once(createInterface(sluice.stdout), 'line').then(([text]) => String(text)),
    exit.then(([code]) => `it ended with ${code}`),
  ])
  assert.match(line, /^sluice listening on http:\/\/127\.0\.0\.1:\d+$/)
  const list = `${line.replace('sluice listening on ', '')}/api/v2/aibridge/interceptions`
  assert.deepEqual(await (await fetch(list)).json(), { count: 0, results: [] })
  sluice.kill('SIGTERM')
  assert.deepEqual(await exit, [0, null])
})

test('the package gives what the README imports, and nothing internal', () => {
  // A folder below plugins/ holds the parts of a plugin; package.json closes each.
  const parts = globSync('plugins/*/*.ts', { cwd: join(project, 'src') })
  const inner = JSON.stringify(parts.map((part) => `sluice/${part.replace(/\.ts$/, '')}`))
  const code = `
    const names = {
      sluice: ['createGateway', 'anthropic', 'openai'],
      'sluice/plugins/capturers': ['capturers'],
      'sluice/plugins/mongo-recorder': ['mongoRecorder'],
      'sluice/testing': ['recordsOf'],
    }
    for (const [module, exports] of Object.entries(names)) {
      const found = await import(module)
      for (const name of exports) if (!found[name]) throw new Error(module + ' lacks ' + name)
    }
    for (const module of ${inner}) {
      const code = await import(module).catch(({ code }) => code)
      if (code !== 'ERR_PACKAGE_PATH_NOT_EXPORTED') throw new Error(module + ' is not closed')
    }`
  execFileSync(process.execPath, ['--input-type=module', '--eval', code], { cwd: folder })
})
