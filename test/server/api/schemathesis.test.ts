import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { needs } from '../../support/needs.ts'
import { routes } from '../../support/questions.ts'
import { served } from '../../support/served.ts'

const tools = process.env.SLUICE_CI_TOOLS ?? join(homedir(), '.cache', 'sluice-ci')
const folders = [join(tools, 'schemathesis', 'bin'), ...(process.env.PATH ?? '').split(delimiter)]
const program = folders
  .map((folder) => join(folder, 'schemathesis'))
  .find((path) => existsSync(path))

test('made-up requests find no server error, and no answer that the description does not know', {
  skip: needs('schemathesis', program !== undefined),
  timeout: 120_000,
}, async (t) => {
  const gateway = await served()
  t.after(() => gateway.close())
  for (const { path, ask } of Object.values(routes)) await gateway.send(path, { body: ask })
  const args = [
    'run',
    `${gateway.url}/api/v2/aibridge/openapi.json`,
    // It has no end.
    '--exclude-path-regex=/stream$',
    '--checks=not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,response_schema_conformance',
    '--phases=examples,coverage,fuzzing,stateful',
    '--max-examples=15',
    '--seed=1',
    '--request-timeout=20',
    '--no-color',
  ]
  const options = { cwd: tmpdir(), timeout: 110_000, maxBuffer: 16 * 1024 ** 2 }
  const run = promisify(execFile)(program ?? '', args, options)
  const { stdout } = await run.catch((error: { stdout?: string }) => {
    assert.fail(String(error.stdout ?? error).slice(-6000))
  })
  const [, count] = /(\d+) generated, \1 passed/.exec(stdout) ?? []
  assert.ok(Number(count) > 300, stdout.slice(-2000))
})
