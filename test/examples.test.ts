import { deepEqual, equal, match } from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { basename, join, resolve } from 'node:path'
import { after, before, test } from 'node:test'
import { fakeEvent, fakeInterception, recordsOf } from '../src/testing.ts'

const examples = resolve(import.meta.dirname, '../examples')
const folder = mkdtempSync(join(tmpdir(), 'sluice-examples-'))
const running = new Set<ChildProcess>()
after(() => {
  for (const child of running) child.kill('SIGTERM')
  rmSync(folder, { recursive: true })
})

/** What shows that an example has recorded its sample request. */
const shows: Readonly<Record<string, RegExp>> = {
  gateway: /"record_type":"interception_end".*"outcome":"completed"/,
  mount: /\/usage says \[\{.*"model":"claude-sonnet-4-5","outputTokens":[1-9]/,
  'custom-observer': /type: 'slow_reply',\s+model: 'claude-sonnet-4-5',\s+tookMs: \d+/,
  'custom-recorder': /answered: 200/,
  tracing: /span Intercept\.ProcessRequest\.Upstream \(within another\) [1-9]\d*\n/,
  'mcp-tools': /stdio:facts ran sluice_facts with \{"about":"What is Sluice\?"\} in \d+ ms/,
}

for (const [name, shown] of Object.entries(shows)) {
  test(`the example ${name} runs from a clone, records a sample request, and ends in order`, async () => {
    const example = start(name)
    await example.until(shown)
    await example.until(
      /The simulated provider answered: 200, \d+ bytes, interception [0-9a-f-]{36}/,
    )
    if (name === 'mount')
      match(await upgrade(example.url(), '/ai/openai/v1/responses'), /^HTTP\/1.1 426 /)
    if (name === 'mount') {
      const headers = { 'x-sluice-token': 'token-of-alice' }
      const list = await fetch(`${example.url()}/records/interceptions`, { headers })
      equal(((await list.json()) as { count: number }).count, 1)
    }
    if (name === 'mount') match(await upgrade(example.url(), '/news'), /^HTTP\/1.1 101 /)
    equal(await example.stop(), 0)
    if (name === 'custom-recorder') {
      const lines = readFileSync(join(folder, 'records.jsonl'), 'utf8').trim().split('\n')
      const types = new Set(lines.map((line) => JSON.parse(line).type))
      deepEqual([...types].sort(), [
        'interception_end',
        'interception_start',
        'prompt_usage',
        'token_usage',
      ])
    }
  })
}

test('every example is named here and listed by the command without a name', async () => {
  const names = globSync('*.ts', { cwd: examples }).map((file) => basename(file, '.ts'))
  deepEqual(names.filter((name) => name !== 'run').sort(), Object.keys(shows).sort())
  const list = start()
  equal(await list.ended, 0)
  for (const name of Object.keys(shows)) match(list.output(), new RegExp(`^  ${name} +[A-Z]`, 'm'))
  equal(await start('nothing').ended, 1)
})

test('the observer of the example is tested without a gateway', async () => {
  const startedAt = new Date(Date.now() - 500)
  const interception = fakeInterception({ model: 'm', startedAt })
  const events = [fakeEvent('text', { text: 'At' }), fakeEvent('text', { text: ' last' })]
  const [record, ...more] = await recordsOf(slowReplies({ overMs: 400 }), events, interception)
  equal(record?.type, 'slow_reply')
  deepEqual(more, [])
  deepEqual(await recordsOf(slowReplies({ overMs: 60_000 }), events, interception), [])
})

let slowReplies: typeof import('../examples/custom-observer.ts')['slowReplies']
before(async () => {
  // Only what is imported behind it finds `sluice` without a build.
  await import('../examples/runner/from-source.ts')
  slowReplies = (await import('../examples/custom-observer.ts')).slowReplies
})

function start(name?: string) {
  const { ANTHROPIC_API_KEY, ANTHROPIC_BASE_URL, OPENAI_API_KEY, OPENAI_BASE_URL, ...env } =
    process.env
  const child = spawn(process.execPath, [join(examples, 'run.ts'), ...(name ? [name] : [])], {
    cwd: folder,
    env: { ...env, PORT: '0' },
  })
  running.add(child)
  let output = ''
  let look: () => void = () => {}
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text
      look()
    })
  }
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve))
  void ended.then(() => running.delete(child))
  return {
    ended,
    output: () => output,
    url: () => new URL(/listening on (\S+)/.exec(output)?.[1] ?? ''),
    /** Rejects where it ends before. */
    until: async (shown: RegExp) => {
      const found = new Promise<void>((resolve) => {
        look = () => {
          if (shown.test(output)) resolve()
        }
        look()
      })
      const over = ended.then((code) => {
        throw new Error(`${name} ended with ${code}:\n${output}`)
      })
      await Promise.race([found, over])
    },
    stop: () => {
      child.kill('SIGTERM')
      return ended
    },
  }
}

/** Asks for a websocket, and gives what the server says first. */
function upgrade({ port }: URL, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), '127.0.0.1')
    socket.once('error', reject)
    socket.once('data', (bytes) => {
      socket.destroy()
      resolve(String(bytes))
    })
    const key = 'dGhlIHNhbXBsZSBub25jZQ=='
    socket.write(
      `GET ${path} HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: ${key}\r\n\r\n`,
    )
  })
}
