import assert from 'node:assert/strict'
import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, before, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { type FakeUpstream, fakeUpstream } from '../../src/simulator/server.ts'
import {
  type GatewayProcess,
  runCommand,
  startGateway,
  workFolder,
} from '../support/gateway-process.ts'

let upstream: FakeUpstream

before(async () => {
  upstream = await fakeUpstream({ freshIds: true })
})

const started: GatewayProcess[] = []

after(() => {
  // Those of tests that failed.
  for (const { child } of started) child.kill('SIGKILL')
  return upstream.close()
})

test('several processes serve one port, say one line, and list what all have recorded', async () => {
  const gateway = await start(['--port', '0'])
  const replies = await Promise.all(Array.from({ length: 12 }, () => ask(gateway.url)))
  assert.ok(replies.every(({ status }) => status === 200))
  const listed = await list(gateway.url, 12)
  assert.equal(listed.length, 12)
  assert.equal(await gateway.stop(), 0)
  const { stdout, stderr } = gateway.output()
  assert.match(stdout, /^sluice listening on http:\/\/127\.0\.0\.1:\d+\n$/)
  assert.equal(stderr.match(/ completed in /g)?.length, 12, stderr)
  assert.equal(stderr.match(/Sluice is at/g)?.length, 1)
})

test('a worker that dies is replaced, and the others end at once what it left open', async () => {
  const gateway = await start(['--workers', '2', '--log-format', 'json'])
  upstream.next({ stall: 2 })
  const cut = ask(gateway.url, { stream: true }).then(
    ({ text }) => text,
    () => 'cut',
  )
  await upstream.request(upstream.requests.length)
  // A start that is not yet on disk goes with its process.
  await until(() => openIn(gateway) === 1)
  const before = workersOf(gateway)
  // Whichever has it: both die, one after the other, so that each is replaced while another lives.
  for (const victim of before) {
    const gone = gateway.line(/a worker is gone/)
    process.kill(victim, 'SIGKILL')
    await gone
    await until(() => {
      const now = workersOf(gateway)
      return now.length === 2 && !now.includes(victim)
    })
    await until(async () => (await metric(gateway.url, 'sluice_worker_deaths_total')) >= 1)
  }
  await cut
  const aborted = await until(async () =>
    (await list(gateway.url, 0)).find(({ outcome }) => outcome === 'aborted'),
  )
  assert.ok(aborted)
  assert.equal((await ask(gateway.url)).status, 200)
  assert.equal(await gateway.stop(), 0)
})

test('while none can take its place the others go on, and pauses between tries grow', async () => {
  const gateway = await start(['--workers', '2'])
  const store = join(gateway.folder, 'sluice-data', 'sluice.db')
  // With its log, from which SQLite would read what is gone.
  for (const part of ['', '-wal', '-shm']) renameSync(`${store}${part}`, `${store}.away${part}`)
  writeFileSync(store, 'this is no database, and none can be opened here'.repeat(100))
  const [victim = 0] = workersOf(gateway)
  process.kill(victim, 'SIGKILL')
  assert.match(await gateway.line(/a worker is gone/), /another takes its place: it was killed/)
  assert.match(await gateway.line(/another follows in 0\.5 s/), /no database|not a database/)
  await gateway.line(/another follows in 1 s/)
  assert.equal((await ask(gateway.url)).status, 200)
  await gateway.stop()
})

test('a client whose connection was on its way to a worker that dies is not left to wait', async () => {
  const gateway = await start(['--workers', '2'])
  const [victim = 0] = workersOf(gateway)
  process.kill(victim, 'SIGSTOP')
  const { port } = new URL(gateway.url)
  // One of them is handed to the worker that stands still; the other one answers the rest.
  const calls = Array.from({ length: 4 }, () => health(Number(port)))
  await Promise.race(calls)
  process.kill(victim, 'SIGKILL')
  const statuses = await Promise.all(calls)
  assert.ok(statuses.filter((status) => status === 200).length >= 2, statuses.join())
  await gateway.stop()
})

test('any worker’s metrics are those of all, and a death takes no count back', async () => {
  const gateway = await start(['--workers', '3'])
  const refused = () => metric(gateway.url, 'sluice_refused_total{reason="not_found"}')
  for (let count = 0; count < 9; count++) await fetch(`${gateway.url}/openai/nothing-${count}`)
  await until(async () => (await refused()) === 9)
  for (const victim of workersOf(gateway)) process.kill(victim, 'SIGKILL')
  await until(async () => (await metric(gateway.url, 'sluice_worker_deaths_total')) === 3)
  assert.equal(await refused(), 9)
  for (const name of [
    'sluice_open_streams',
    'sluice_recorder_queue_records{recorder="sqlite-recorder"}',
  ])
    assert.equal(await metric(gateway.url, name), 0, name)
  await gateway.stop()
})

test('a Ctrl-C that reaches all processes lets streams finish; the second one, later, ends all at once', async () => {
  const gateway = await start(['--workers', '2'])
  upstream.next({ pause: 700 })
  const slow = ask(gateway.url, { stream: true })
  await upstream.request(upstream.requests.length)
  const pids = [...workersOf(gateway), gateway.child.pid ?? 0]
  const exited = new Promise((resolve) => gateway.child.once('exit', resolve))
  for (const pid of pids) process.kill(pid, 'SIGINT')
  assert.match((await slow).text, /\[DONE\]/)
  assert.equal(await exited, 0)

  const other = await start(['--workers', '2'])
  upstream.next({ stall: 1 })
  const cut = ask(other.url, { stream: true }).catch(() => 'cut')
  await upstream.request(upstream.requests.length)
  const workers = workersOf(other)
  other.child.kill('SIGTERM')
  await other.line(/finishing what runs/)
  await pause(1050)
  assert.equal(await other.stop('SIGTERM'), 1)
  await cut
  await until(() => workers.every((pid) => !isAlive(pid)))
})

test('workers whose primary is killed finish what runs, then go', async () => {
  const gateway = await start(['--workers', '2'])
  upstream.next({ pause: 500 })
  const slow = ask(gateway.url, { stream: true })
  await upstream.request(upstream.requests.length)
  const workers = workersOf(gateway)
  await gateway.stop('SIGKILL')
  assert.match((await slow).text, /\[DONE\]/)
  await until(() => workers.every((pid) => !isAlive(pid)))
})

test('what keeps a worker from starting is one clear line', async () => {
  const gateway = await start(['--workers', '2'])
  const { port } = new URL(gateway.url)
  const { code, stdout, stderr } = await runCommand(['serve', '--workers', '2', '--port', port])
  assert.equal(code, 1)
  assert.equal(stdout, '')
  assert.match(stderr, /^sluice: port \d+ on 127\.0\.0\.1 is in use: [^\n]+\n$/)
  await gateway.stop()
})

test('workers that cannot share a store or a journal are refused', async () => {
  const shared = await runCommand(['serve', '--workers', '2', '--store', 'memory:'])
  assert.match(shared.stderr, /--workers: memory: is one process's own/)
  const small = ['serve', '--workers', '4', '--journal-max', '3MiB', '--store', 'mongodb://x']
  assert.match((await runCommand(small)).stderr, /--journal-max: is divided by 4 workers/)
  assert.equal(shared.code, 1)
})

test('a demo runs with workers: its store is emptied once, its traffic goes through all', async () => {
  const folder = workFolder()
  const gateway = await startGateway(['--demo', '--workers', '2'], { folder })
  await gateway.line(/^\S+ bob /)
  assert.equal(await gateway.stop(), 0)
  assert.ok(readFileSync(join(folder, 'sluice-data', 'demo.db')).length > 0)
})

async function start(args: readonly string[]): Promise<GatewayProcess> {
  const given = ['--workers', '3', '--openai-base-url', upstream.url, ...args]
  const gateway = await startGateway(given)
  started.push(gateway)
  return gateway
}

function workersOf({ child }: GatewayProcess): number[] {
  const children = readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8')
  return children.trim().split(' ').map(Number)
}

/** How many interceptions are open in its store. */
function openIn({ folder }: GatewayProcess): number {
  const store = new DatabaseSync(join(folder, 'sluice-data', 'sluice.db'), { readOnly: true })
  const row = store.prepare('SELECT count(*) AS open FROM interceptions WHERE ended = 0').get()
  store.close()
  return Number(row?.open)
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

async function ask(url: string, more: object = {}): Promise<{ status: number; text: string }> {
  const reply = await fetch(`${url}/openai/v1/chat/completions`, {
    method: 'POST',
    // A connection of its own: each goes to the next worker.
    headers: {
      'content-type': 'application/json',
      authorization: 'Bearer sk-1',
      connection: 'close',
    },
    body: JSON.stringify({
      model: 'm',
      messages: [{ role: 'user', content: `${Math.random()}` }],
      ...more,
    }),
  })
  return { status: reply.status, text: await reply.text() }
}

/** The status, or 0 where the connection ended without one. */
function health(port: number): Promise<number> {
  return new Promise((resolve) => {
    const call = request({ port, host: '127.0.0.1', path: '/healthz', agent: false }, (reply) => {
      reply.resume()
      resolve(reply.statusCode ?? 0)
    })
    call.on('error', () => resolve(0))
    call.end()
  })
}

type Listed = { readonly id: string; readonly outcome: string }

async function list(url: string, atLeast: number): Promise<Listed[]> {
  return until(async () => {
    const reply = await fetch(`${url}/api/v2/aibridge/interceptions?limit=100`).catch(() => null)
    const results = reply?.ok ? ((await reply.json()) as { results: Listed[] }).results : []
    return reply?.ok && results.length >= atLeast ? results : undefined
  })
}

async function metric(url: string, name: string): Promise<number> {
  const text = await fetch(`${url}/metrics`).then(
    (reply) => reply.text(),
    () => '',
  )
  const line = text.split('\n').find((each) => each.startsWith(`${name} `))
  return line === undefined ? Number.NaN : Number(line.split(' ').at(-1))
}

async function until<T>(look: () => T | Promise<T>): Promise<NonNullable<T>> {
  for (;;) {
    const found = await look()
    if (found) return found
    await pause(20)
  }
}
