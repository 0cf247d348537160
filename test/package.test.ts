import assert from 'node:assert/strict'
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  cpSync,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { after, before, test } from 'node:test'
import { fakeUpstream } from '../src/simulator/server.ts'

const project = resolve(import.meta.dirname, '..')
let folder: string
/** Where the unpacked package lies. */
let installed: string
let tarball: string

before(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-package-'))
  const source = join(folder, 'source')
  for (const name of ['package.json', 'README.md', 'CHANGELOG.md', 'LICENSE', 'docs'])
    if (existsSync(join(project, name)))
      cpSync(join(project, name), join(source, name), { recursive: true })
  const compiler = join(project, 'node_modules', 'typescript', 'bin', 'tsc')
  // Types are checked elsewhere.
  const built = ['--project', 'tsconfig.build.json', '--noCheck', '--outDir', join(source, 'dist')]
  execFileSync(process.execPath, [compiler, ...built], { cwd: project, stdio: 'inherit' })
  // Quiet about what npm thinks of this machine's settings, with nothing looked up.
  const pack = ['pack', '--ignore-scripts', '--offline', '--silent', '--pack-destination', folder]
  tarball = join(folder, execFileSync('npm', pack, { cwd: source, encoding: 'utf8' }).trim())
  installed = join(folder, 'node_modules', 'sluice')
  mkdirSync(installed, { recursive: true })
  execFileSync('tar', ['-xzf', tarball, '-C', installed, '--strip-components=1'])
  // Its dependencies, which an install would download.
  symlinkSync(join(project, 'node_modules'), join(installed, 'node_modules'))
})
after(() => rmSync(folder, { recursive: true, force: true }))

test('the package runs from its tarball: it relays, and its workers parse and store', async (t) => {
  const upstream = await fakeUpstream()
  t.after(() => upstream.close())
  const store = `sqlite:${join(folder, 'data', 'sluice.db')}`
  const { url, stop } = await serve('--store', store, '--openai-base-url', upstream.url)
  t.after(stop)
  const ask = async (earlier: string) => {
    const said = [earlier, 'Yes?', 'Hello'].map((content, index) => ({
      role: index % 2 === 0 ? 'user' : 'assistant',
      content,
    }))
    const reply = await fetch(`${url}/openai/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: 'Bearer sk-test' },
      body: JSON.stringify({ model: 'm', stream: true, messages: said }),
    })
    assert.match(await reply.text(), /\ndata: \[DONE\]\n\n$/)
    return reply.headers.get('x-sluice-interception-id')
  }
  // A body this large is parsed in a worker.
  const ids = [await ask('Hello'), await ask('x'.repeat(5_000_000))]
  const list = ['interceptions', 'list', '--store', store]
  assert.deepEqual(idsOf(sluice(...list)), ids.toReversed())
  assert.deepEqual(idsOf(sluice('interceptions', 'list', '--url', url)), ids.toReversed())
  assert.deepEqual(await stop(), [0, null])
})

test('the package tells its version', () => {
  assert.equal(sluice('--version').trim(), JSON.parse(read('package.json')).version)
})

const idsOf = (json: string): unknown[] => JSON.parse(json).map(({ id }: { id: unknown }) => id)
const main = () => join(installed, 'dist/cli/main.js')
const read = (path: string) => readFileSync(join(project, path), 'utf8')

function sluice(...args: string[]): string {
  return execFileSync(process.execPath, [main(), ...args], { cwd: folder, encoding: 'utf8' })
}

async function serve(...args: string[]) {
  const child = spawn(process.execPath, [main(), 'serve', '--port', '0', ...args], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const exit = once(child, 'exit')
  const line = await Promise.race([
    once(createInterface(child.stdout), 'line').then(([text]) => String(text)),
    exit.then(([code]) => `it ended with ${code}`),
  ])
  assert.match(line, /^sluice listening on http:\/\/127\.0\.0\.1:\d+$/)
  const stop = () => {
    child.kill('SIGTERM')
    return exit
  }
  return { url: line.replace('sluice listening on ', ''), stop }
}

test('the package gives what the README imports, and nothing internal', () => {
  // A folder below plugins/ holds the parts of a plugin; package.json closes each.
  const parts = globSync('plugins/*/*.ts', { cwd: join(project, 'src') })
  const inner = JSON.stringify(parts.map((part) => `sluice/${part.replace(/\.ts$/, '')}`))
  const code = `
    const names = {
      sluice: ['createGateway', 'anthropic', 'openai'],
      'sluice/plugins/capturers': ['capturers'],
      'sluice/plugins/mongo-recorder': ['mongoRecorder'],
      'sluice/plugins/sqlite-recorder': ['sqliteRecorder'],
      'sluice/server': ['createApp'],
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

test('its declarations are enough for a strict host that adds a record type', () => {
  const host = join(folder, 'host')
  mkdirSync(host)
  writeFileSync(join(host, 'package.json'), '{ "type": "module" }')
  writeFileSync(
    join(host, 'host.ts'),
    `import { anthropic, createGateway, type Plugin } from 'sluice'
    import { capturers } from 'sluice/plugins/capturers'
    import { createApp } from 'sluice/server'
    declare module 'sluice' { interface RecordTypes { note: { readonly words: number } } }
    const note: Plugin = { name: 'note', observe: () => [{ type: 'note', words: 2 }] }
    // @ts-expect-error: words is a number
    const wrong: Plugin = { name: 'note', observe: () => [{ type: 'note', words: 'two' }] }
    const plugins = [...capturers(), note, wrong]
    export const gateway = createGateway({ providers: [anthropic()], plugins, initiator: () => 'me' })
    export { createApp }`,
  )
  const compiler = join(project, 'node_modules', 'typescript', 'bin', 'tsc')
  for (const [module, moduleResolution] of [
    ['nodenext', 'nodenext'],
    ['esnext', 'bundler'],
  ]) {
    const compilerOptions = {
      ...{ module, moduleResolution, target: 'es2024', strict: true, noEmit: true, types: [] },
      ...{ exactOptionalPropertyTypes: true, skipLibCheck: true },
    }
    writeFileSync(join(host, 'tsconfig.json'), JSON.stringify({ compilerOptions }))
    const { stdout, status } = spawnSync(process.execPath, [compiler, '-p', host], {
      encoding: 'utf8',
    })
    assert.equal(status, 0, stdout)
  }
})

test('types that its declarations need come with it', () => {
  const { devDependencies } = JSON.parse(read('package.json')) as { devDependencies: object }
  const declarations = globSync('dist/**/*.d.ts', { cwd: installed })
  assert.ok(declarations.length > 100)
  for (const file of declarations) {
    const text = readFileSync(join(installed, file), 'utf8')
    for (const [, name = ''] of text.matchAll(
      /(?:from |import\()['"](?!node:)((?:@[\w-]+\/)?[\w-]+)/g,
    )) {
      const types = `@types/${name.replace(/^@(.*)\//, '$1__')}`
      for (const needed of [name, types]) {
        assert.ok(!(needed in devDependencies), `${file} needs ${needed}: make it a dependency`)
      }
    }
  }
})

test('publint and attw find nothing wrong with the tarball', () => {
  const tool = (name: string, ...args: string[]) => {
    const path = join(project, 'node_modules', '.bin', name)
    const { status, stdout, stderr } = spawnSync(process.execPath, [path, ...args], {
      cwd: folder,
      encoding: 'utf8',
    })
    assert.equal(status, 0, stdout + stderr)
  }
  tool('publint', tarball, '--strict')
  tool('attw', tarball, '--profile', 'esm-only')
})
