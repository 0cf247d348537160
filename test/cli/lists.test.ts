import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createInterface } from 'node:readline'
import { after, before, test } from 'node:test'
import { runCommand, startCommand } from '../support/gateway-process.ts'
import { type Served, served } from '../support/served.ts'

// Each command is asked of the gateway and of its store: both say the same.
let gateway: Served
let places: readonly (readonly string[])[]

before(async () => {
  gateway = await served()
  const store = gateway.running.config.store
  places = [
    ['--url', gateway.url],
    ['--store', store],
  ]
  for (const [user, text] of [
    ['alice', 'What is\u001b[31m red?'],
    ['bob', 'How is the weather in Oslo?'],
    ['alice', 'And now?'],
  ] as const)
    await ask(user, text)
})
after(() => gateway.close())

test('--all pages through everything, and the array is as if written at once', async () => {
  for (const place of places) {
    const once = await say(['interceptions', 'list', ...place])
    const all = await say(['interceptions', 'list', '--all', ...place])
    assert.equal(all, once)
    assert.equal(all, `${JSON.stringify(JSON.parse(all), null, 2)}\n`)
    const none = await say(['interceptions', 'list', '--model', 'none', ...place])
    assert.equal(none, '[]\n')
  }
})

test('a page goes on behind the last one, and filters hold together', async () => {
  for (const place of places) {
    const ids = (await rows(['--sort', 'oldest', ...place])).map(({ id }) => id)
    const [first = '', second] = ids
    const behind = await rows(['--sort', 'oldest', '--limit', '1', '--after-id', first, ...place])
    assert.deepEqual(
      behind.map(({ id }) => id),
      [second],
    )
    const mine = await rows([
      '--initiator',
      'alice',
      '--provider',
      'openai',
      '--outcome',
      'completed',
      '--search',
      'red',
      ...place,
    ])
    assert.equal(mine.length, 1)
    const unknown = await runCommand([
      'interceptions',
      'list',
      '--after-id',
      crypto.randomUUID(),
      ...place,
    ])
    assert.equal(unknown.code, 1)
    assert.match(unknown.stderr, /^sluice: /)
  }
})

test('lines, CSV and tables tell the same; nothing of a stranger drives the terminal', async () => {
  const [api = '', store = ''] = await Promise.all(
    places.map((place) => say(['interceptions', 'list', '--output', 'csv', ...place])),
  )
  assert.equal(api, store)
  assert.match(api, /^id,started_at,ended_at,initiator_id,/)
  assert.equal(api.trim().split('\n').length, 4)
  for (const place of places) {
    const lines = await say(['interceptions', 'list', '--output', 'ndjson', ...place])
    assert.equal(
      lines
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line)).length,
      3,
    )
    const table = await say(['sessions', 'list', ...place])
    assert.match(table, /^LAST ACTIVE +USER +CLIENT/)
    assert.match(table, /What is \[31m red\?/)
    assert.ok(!table.includes('\u001b'))
  }
})

test('one interception and one conversation can be looked at', async () => {
  for (const place of places) {
    const [newest] = await rows(place)
    const id = String(newest?.id)
    assert.match(await say(['interceptions', 'show', id, ...place]), /^prompts\n {2}And now\?$/m)
    const shown = JSON.parse(await say(['interceptions', 'show', id, '--output', 'json', ...place]))
    assert.equal(shown.id, id)
    assert.ok(Array.isArray(shown.model_thoughts))

    const sessions = JSON.parse(await say(['sessions', 'list', '--output', 'json', ...place]))
    const [session] = sessions
    const text = await say(['sessions', 'show', session.id, ...place])
    assert.match(text, /And now\?/)
    const detail = JSON.parse(
      await say(['sessions', 'show', session.id, '--output', 'json', '--all', ...place]),
    )
    assert.equal(detail.threads[0].prompt, 'And now?')
    for (const what of ['interceptions', 'sessions']) {
      const none = await runCommand([what, 'show', 'no-such', ...place])
      assert.equal(none.code, 1)
      assert.match(none.stderr, /there is no \w+ "no-such" to see/)
    }
    // In a URL it is the list.
    const list = await runCommand(['sessions', 'show', '.', ...place])
    assert.match(list.stderr, /there is no session "\." to see/)
  }
})

test('sums are grouped, sorted, and of a time', async () => {
  for (const place of places) {
    const csv = await say([
      'stats',
      '--group-by',
      'user',
      '--since',
      '1d',
      '--output',
      'csv',
      ...place,
    ])
    const [head, first] = csv.split('\n')
    assert.match(head ?? '', /^key,initiator_id,interceptions,prompts,/)
    assert.match(first ?? '', /^alice,alice,2,2,/)
    const table = await say(['stats', '--interval', 'day', ...place])
    assert.match(table, /^DAY +INTERCEPTIONS .*\n\d{4}-\d\d-\d\d +3 /)
    const past = await say([
      'stats',
      '--started-before',
      '2020-01-01',
      '--output',
      'json',
      ...place,
    ])
    assert.equal(past, '[]\n')
  }
})

test('an export is the same over the API', async () => {
  const [api, store] = await Promise.all(places.map((place) => say(['export', ...place])))
  assert.equal(api, store)
  assert.equal(api?.trim().split('\n').length, 3)
})

test('tail tells what ends, of whom it is asked, and ends at Ctrl-C in order', async () => {
  for (const place of places) {
    const child = startCommand(['tail', '--initiator', 'alice', ...place])
    const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream })
    const said = once(lines, 'line')
    // It begins to read when it pleases: until then there is something to tell.
    let isHeard = false
    said.then(() => {
      isHeard = true
    })
    while (!isHeard) await ask('alice', 'Live?').then(() => ask('bob', 'Live?'))
    const [line] = (await said) as [string]
    assert.match(line, /^\d\d:\d\d:\d\d alice {2}.*openai\/some-model {2}.* completed in \d/)
    child.kill('SIGINT')
    const [code, signal] = await once(child, 'exit')
    assert.deepEqual([code, signal], [0, null])
  }
})

test('tail goes on where a lost connection left it', async () => {
  const seen: (string | undefined)[] = []
  const event = (id: string) =>
    `id: ${id}\nevent: interception\ndata: ${JSON.stringify({ id, outcome: 'completed', started_at: '2026-01-01T00:00:00Z' })}\n\n`
  const server = createServer((request, response) => {
    seen.push(request.headers['last-event-id'] as string | undefined)
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.write(event(`c${seen.length}`))
    if (seen.length === 1) response.end()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const child = startCommand(['tail', '--output', 'ndjson', '--url', `http://127.0.0.1:${port}`])
  const ids: string[] = []
  for await (const line of createInterface({ input: child.stdout as NodeJS.ReadableStream })) {
    ids.push(JSON.parse(line).id)
    if (ids.length === 2) child.kill('SIGINT')
  }
  server.closeAllConnections()
  server.close()
  assert.deepEqual(ids, ['c1', 'c2'])
  assert.deepEqual(seen, [undefined, 'c1'])
})

test('what a gateway refuses is told with the way out', async () => {
  const locked = await served({ auth: 'tokens' })
  try {
    const { code, stderr } = await runCommand(['sessions', 'list', '--url', locked.url])
    assert.equal(code, 1)
    assert.match(stderr, /^sluice: http:\S+ did not answer: 401 .*Set SLUICE_TOKEN\.\n$/)
    const token = await locked.user('olga', 'owner')
    const fine = await runCommand(['sessions', 'list', '--output', 'json'], {
      env: { SLUICE_URL: locked.url, SLUICE_TOKEN: token },
    })
    assert.equal(fine.stdout, '[]\n')
  } finally {
    await locked.close()
  }
})

interface Row {
  readonly id: string
}

async function rows(args: readonly string[]): Promise<Row[]> {
  return JSON.parse(await say(['interceptions', 'list', ...args])) as Row[]
}

/** What a command says that must end well. */
async function say(args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await runCommand(args)
  assert.equal(stderr, '', args.join(' '))
  assert.equal(code, 0)
  return stdout
}

async function ask(user: string, text: string): Promise<void> {
  const reply = await gateway.send('/openai/v1/chat/completions', {
    headers: { 'content-type': 'application/json', 'x-sluice-user': user },
    body: { model: 'some-model', messages: [{ role: 'user', content: text }] },
  })
  assert.equal(reply.status, 200)
}
