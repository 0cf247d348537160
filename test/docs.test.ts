import assert from 'node:assert/strict'
import { existsSync, globSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, test } from 'node:test'
import { clientHints } from '../src/server/client-hints.ts'
import { readConfig } from '../src/server/config.ts'
import { type FakeUpstream, fakeUpstream } from '../src/simulator/server.ts'
import { openCode } from './support/agents.ts'
import { type DocBlock, docBlocks, documents, project, readDocument } from './support/doc-blocks.ts'
import { docChecks } from './support/doc-checks.ts'
import { programFolder, removeFolder, runProgram, typeFaults } from './support/doc-programs.ts'

// Blocks of `sh`, and what a terminal or the API showed, are those of docs-commands.test.ts.
const languages = ['ts', 'sh', 'yaml', 'json', 'toml', 'text']
const blocks = documents.flatMap(docBlocks)
const of = (language: string) => blocks.filter((block) => block.language === language)
const at = ({ place, line }: DocBlock) => `${place} (line ${line})`

test('each block says what it is written in', () => {
  assert.ok(blocks.length > 20)
  for (const block of blocks) assert.ok(languages.includes(block.language), at(block))
})

test('code stands in fences, where it is tested', () => {
  for (const path of documents) {
    const prose = readDocument(path).replace(/^ *```[\s\S]*?^ *```/gm, '')
    assert.doesNotMatch(prose, /(?:^|\n)[^\s*\d-][^\n]*\n\n {4}/, path)
  }
})

test('each link leads somewhere', () => {
  for (const path of documents) {
    const prose = readDocument(path).replace(/^ *```[\s\S]*?^ *```/gm, '')
    for (const [, link = ''] of prose.matchAll(/(?:\]\(|src=")([^)"\s]+)[)"]/g)) {
      if (/^https?:/.test(link)) continue
      const [file = '', anchor] = link.split('#')
      const target = file === '' ? path : join(dirname(path), file)
      assert.ok(existsSync(join(project, target)), `${path}: ${link}`)
      if (anchor) assert.ok(anchors(target).includes(anchor), `${path}: ${link}`)
    }
  }
})

function anchors(path: string): string[] {
  return [...readDocument(path).matchAll(/^#+ (.*)$/gm)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  )
}

test('each file and script of the project that is named exists', () => {
  const { scripts } = JSON.parse(readDocument('package.json')) as { scripts: object }
  for (const path of documents) {
    const prose = readDocument(path)
    for (const [, name = ''] of prose.matchAll(/`((?:src|test|bench|examples|\.ci)\/[^`\s…]*)`/g))
      assert.ok(globSync(name, { cwd: project }).length > 0, `${path}: ${name}`)
    for (const [, script = ''] of prose.matchAll(/npm run ([\w:-]+)/g))
      assert.ok(script in scripts, `${path}: npm run ${script}`)
  }
})

for (const block of of('yaml')) {
  test(`${at(block)} is a configuration that the gateway takes`, (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'sluice-docs-'))
    t.after(() => removeFolder(folder))
    writeFileSync(join(folder, 'local.key'), 'sk-test')
    writeFileSync(join(folder, 'sluice.config.yaml'), block.text)
    readConfig({ env: {}, folder })
  })
}

test('set-ups of clients are those that the gateway names and that real agents are tried with', () => {
  const url = 'http://127.0.0.1:4141'
  const hints = clientHints(url, readConfig({ env: {}, folder: tmpdir() }).providers)
  const hint = (name: string) => hints.find(({ client }) => client === name)?.lines.join('\n')
  assert.deepEqual(
    of('toml').map(({ text }) => text),
    [hint('Codex')],
  )
  const readme = readDocument('README.md')
  for (const client of ['Claude Code', 'Anthropic SDKs', 'OpenAI SDKs'])
    assert.ok(readme.includes(hint(client) ?? '?'), client)

  const [shown] = of('json').filter(({ text }) => text.includes('"provider": {'))
  for (const api of ['Messages', 'Responses'] as const) {
    const [settings = ''] = Object.values(openCode(api).files?.(url) ?? {})
    const { provider } = JSON.parse(settings)
    const [name = ''] = Object.keys(provider)
    assert.deepEqual(JSON.parse(shown?.text ?? '{}').provider[name], provider[name])
  }
})

const examples = globSync('examples/*.ts', { cwd: project }).map((path) =>
  readFileSync(join(project, path), 'utf8'),
)
const programs = of('ts')
  .filter(({ text }) => !examples.some((example) => example.includes(text.trim())))
  .map((block, index) => {
    const check = docChecks[block.place] ?? {}
    return { block, check, name: `block-${index}`, source: `${block.text}\n${check.more ?? ''}` }
  })
let folder: string
let upstream: FakeUpstream

before(async () => {
  folder = programFolder(programs)
  upstream = await fakeUpstream()
})
after(async () => {
  removeFolder(folder)
  await upstream.close()
})

test('programs in the documents are right by type', () => {
  assert.equal(
    typeFaults(folder),
    '',
    programs.map(({ name, block }) => `${name}: ${at(block)}`).join('\n'),
  )
})

for (const { block, check, name } of programs) {
  test(`${at(block)} runs`, { timeout: 30_000 }, async (t) => {
    const run = runProgram(folder, name, upstream.url)
    t.after(() => run.stop())
    if (check.serves) {
      await check.serves(await run.url)
      if (!check.ends) return
      run.stop('SIGTERM')
    }
    const { code, stderr } = await run.ended
    assert.equal(code, 0, stderr)
  })
}

test('no check is left of a block that is gone', () => {
  const places = new Set(programs.map(({ block }) => block.place))
  for (const place of Object.keys(docChecks)) assert.ok(places.has(place), place)
})
