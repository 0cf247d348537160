import assert from 'node:assert/strict'
import { once } from 'node:events'
import { after, before, test } from 'node:test'
import { type FakeUpstream, fakeUpstream } from '../../src/simulator/server.ts'
import {
  type GatewayProcess,
  runCommand,
  startCommand,
  startGateway,
} from '../support/gateway-process.ts'

let upstream: FakeUpstream
let gateway: GatewayProcess

before(async () => {
  upstream = await fakeUpstream()
  gateway = await startGateway(['--openai-base-url', upstream.url])
  for (const [index, user] of ['alice', 'bob', 'alice'].entries()) {
    await fetch(`${gateway.url}/openai/v1/responses`, {
      method: 'POST',
      headers: {
        authorization: 'Bearer sk',
        'content-type': 'application/json',
        'x-sluice-user': user,
        'x-sluice-repo': 'a/b',
        'x-sluice-issue': String(index),
      },
      body: JSON.stringify({ model: 'gpt-5.4', input: 'Hi' }),
    }).then((reply) => reply.text())
  }
})

after(async () => {
  await gateway.stop()
  await upstream.close()
})

test('the list is the same from the store, from the API, and under the older name', async () => {
  const { folder, url } = gateway
  const api = await runCommand(['interceptions', 'list', '--url', url])
  const store = await runCommand(['interceptions', 'list'], { folder })
  const older = await runCommand(['aibridge', 'interceptions', 'list'], {
    env: { SLUICE_URL: `${url}/` },
  })
  assert.equal(api.code, 0, api.stderr)
  assert.equal(api.stdout, store.stdout)
  assert.equal(api.stdout, older.stdout)
  assert.match(api.stdout, /^\[\n {2}\{\n {4}"id": "/)
  assert.equal((JSON.parse(api.stdout) as unknown[]).length, 3)
})

test('--initiator and --limit narrow it', async () => {
  for (const where of [['--url', gateway.url], []]) {
    const alice = await list(['--initiator', 'alice', ...where])
    assert.deepEqual(
      alice.map(({ initiator }) => initiator.username),
      ['alice', 'alice'],
    )
    assert.equal((await list(['--limit', '1', ...where])).length, 1)
  }
})

test('--repo, --branch and --issue narrow it, together', async () => {
  for (const where of [['--url', gateway.url], []]) {
    for (const [flags, issues] of [
      [
        ['--repo', 'a/b'],
        ['2', '1', '0'],
      ],
      [['--repo', 'a/b', '--issue', ' 1 '], ['1']],
      [['--repo', 'a/b', '--initiator', 'bob'], ['1']],
      [['--repo', 'a'], []],
      [['--repo', 'a/b', '--branch', 'main'], []],
    ] as const) {
      const rows = await list([...flags, ...where])
      assert.deepEqual(
        rows.map(({ annotations }) => annotations.issue),
        issues,
        flags.join(' '),
      )
    }
  }
})

test('bad limits, stores and addresses are told on standard error, with exit code 1', async () => {
  const cases: [string[], RegExp][] = [
    [['--limit', '0'], /^sluice: limit value must be between 1 and 1000\n$/],
    [['--limit', '1001'], /between 1 and 1000/],
    [['--repo', 'a', '--branch', ' '], /^sluice: --branch: must not be blank\n$/],
    [['--limit', 'ten'], /between 1 and 1000/],
    [['--store', 'memory:'], /only its gateway sees.*--url/],
    [['--store', 'sqlite:./none.db'], /there is no store at \.\/none\.db yet/],
    [['--url', 'http://127.0.0.1:1'], /http:\/\/127\.0\.0\.1:1 did not answer: .*ECONNREFUSED/],
    [['--url', 'nowhere'], /--url: must be/],
    [['--colour', 'red'], /unknown option '--colour'/],
  ]
  for (const [args, message] of cases) {
    const { code, stdout, stderr } = await runCommand(['interceptions', 'list', ...args])
    assert.equal(code, 1, args.join(' '))
    assert.equal(stdout, '')
    assert.match(stderr, message)
  }
})

test('a pipe that is closed early is no error', async () => {
  const child = startCommand(['interceptions', 'list'], { folder: gateway.folder })
  child.stdout?.destroy()
  const [code] = (await once(child, 'exit')) as [number]
  assert.equal(code, 0)
})

test('version and help are there, an unknown command is not', async () => {
  assert.match((await runCommand(['--version'])).stdout, /^\d+\.\d+\.\d+\n$/)
  const help = await runCommand(['interceptions', 'list', '--help'])
  assert.match(help.stdout, /Examples:/)
  const unknown = await runCommand(['interceptoins'])
  assert.equal(unknown.code, 1)
  assert.match(unknown.stderr, /unknown command/)
})

interface Row {
  readonly initiator: { readonly username: string }
  readonly annotations: Readonly<Record<string, string>>
}

async function list(args: readonly string[]): Promise<Row[]> {
  const { stdout, stderr } = await runCommand(['interceptions', 'list', ...args], {
    folder: gateway.folder,
  })
  assert.equal(stderr, '')
  return JSON.parse(stdout) as Row[]
}
