import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { test } from 'node:test'

const root = join(import.meta.dirname, '..', 'src')
const files = globSync('**/*.ts', { cwd: root }).sort()
const sources = new Map(files.map((file) => [file, readFileSync(join(root, file), 'utf8')]))

/** What each part may import beside itself. */
const below: Readonly<Record<string, readonly string[]>> = {
  core: [],
  simulator: ['core'],
  plugins: ['core'],
  server: ['core', 'plugins', 'simulator'],
  cli: ['core', 'plugins', 'server', 'simulator'],
  'index.ts': ['core', 'server'],
  'testing.ts': ['core', 'simulator'],
}

/** The modules that a source file names, types too: `./x.ts` as a path below `src`. */
function imports(file: string, source: string): string[] {
  const named = source.matchAll(
    /^\s*(?:import|export)\b[^'";]*?\bfrom '([^']+)'|^import '([^']+)'|\bimport\('([^']+)'\)|new URL\('(\.[^']+\.ts)'/gm,
  )
  return [...named].map(([, ...names]) => {
    const name = names.find((each) => each !== undefined) ?? ''
    return name.startsWith('.') ? relative(root, join(root, dirname(file), name)) : name
  })
}

const part = (file: string) => file.split('/')[0] ?? ''

test('imports point down: cli, server, plugins, core', () => {
  let seen = 0
  for (const [file, source] of sources) {
    const allowed = below[part(file)]
    assert.ok(allowed, `${file}: say here what it may import`)
    for (const name of imports(file, source)) {
      if (!sources.has(name)) continue
      seen++
      assert.ok([part(file), ...allowed].includes(part(name)), `${file} imports ${name}`)
    }
  }
  assert.ok(seen > 300, String(seen))
})

test('core knows no database, log, framework or command line, and plugins but their own', () => {
  const strangers =
    /^(koa|@koa\/.*|mongodb|winston|commander|prom-client|yaml|zod|node:sqlite|@pydantic\/.*)$/
  for (const [file, source] of sources) {
    if (part(file) !== 'core') continue
    // Koa's types are erased.
    const kept = source.replace(/^import type .*$/gm, '')
    for (const name of imports(file, kept)) assert.doesNotMatch(name, strangers, file)
  }
  const users = (name: string) =>
    files.filter((file) => imports(file, sources.get(file) ?? '').includes(name))
  assert.ok(
    users('mongodb').every((file) => /^(plugins\/mongo|server\/accounts\/mongo)/.test(file)),
    users('mongodb').join(),
  )
  assert.ok(
    users('node:sqlite').every((file) => /^plugins\/(sqlite|journal)/.test(file)),
    users('node:sqlite').join(),
  )
})

test('the library loads no database, log, metrics or command line', () => {
  const reached = new Set(['index.ts'])
  const packages = new Set<string>()
  for (const file of reached) {
    // Types are erased.
    const kept = (sources.get(file) ?? '').replace(/^(import|export) type [^']*'[^']*'$/gm, '')
    for (const name of imports(file, kept)) (sources.has(name) ? reached : packages).add(name)
  }
  assert.ok(reached.has('server/api/rest-api.ts'))
  assert.ok(!reached.has('server/app.ts'))
  for (const name of packages)
    assert.doesNotMatch(name, /^(mongodb|node:sqlite|winston|prom-client|commander|yaml|jose)$/)
})

test('the environment is read in the configuration alone', () => {
  const readers = files.filter((file) => /process\.env\b/.test(sources.get(file) ?? ''))
  assert.deepEqual(
    readers.filter((file) => !/^server\/config[^/]*\.ts$/.test(file)),
    [],
  )
})

test('no file is a drawer of all sorts, or very long', () => {
  for (const [file, source] of sources) {
    assert.doesNotMatch(file, /(^|\/)(utils?|helpers?|common|types|misc)(\.ts|\/)/)
    assert.ok(source.split('\n').length <= 350, file)
  }
})
