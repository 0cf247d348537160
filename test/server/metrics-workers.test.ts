import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { fakeUpstream } from '../../src/simulator/server.ts'
import { startGateway } from '../support/gateway-process.ts'
import { type Series, seriesOf } from '../support/metrics-page.ts'

test('a worker that is killed under load takes no count back; what it had at the moment is gone', async (t) => {
  const upstream = await fakeUpstream({ freshIds: true })
  t.after(() => upstream.close())
  const gateway = await startGateway([
    ...['--workers', '2', '--drain-timeout', '0'],
    ...['--openai-base-url', upstream.url],
  ])
  t.after(() => gateway.stop())
  const page = async () =>
    fetch(`${gateway.url}/metrics`).then(
      async (reply) => (reply.ok ? seriesOf(await reply.text()) : null),
      // It was asked of the one that died.
      () => null,
    )

  // Streams that hang in each of them.
  const stalled = Array.from({ length: 8 }, () => {
    upstream.next({ stall: 2 })
    return ask(gateway.url)
  })
  await until(async () => total(await page(), 'sluice_open_streams') === 8)

  let running = true
  let asked = 0
  const load = Promise.all(
    Array.from({ length: 4 }, async () => {
      while (running) if ((await ask(gateway.url)) === 'whole') asked++
    }),
  )
  let before: Series = new Map()
  let looks = 0
  const look = (async () => {
    while (running) {
      const now = await page()
      if (!now) continue
      for (const [name, value] of before)
        if (isCount(name)) assert.ok((now.get(name) ?? 0) >= value, `${name} went back`)
      before = now
      looks++
    }
  })()
  await until(() => asked > 20)
  const [victim = 0] = childrenOf(gateway.child.pid ?? 0)
  process.kill(victim, 'SIGKILL')
  await gateway.line(/a worker is gone/)
  const then = { asked, looks }
  await until(() => asked > then.asked + 20 && looks > then.looks + 5)
  running = false
  await Promise.all([load, look])

  // Its own streams are gone, those of the other one are not.
  const open = await until(async () => {
    const now = await page()
    return now && total(now, 'sluice_interceptions_inflight') === total(now, 'sluice_open_streams')
      ? now
      : undefined
  })
  const left = total(open, 'sluice_open_streams')
  assert.ok(left >= 1 && left <= 7, `${left}`)
  assert.equal(total(open, 'sluice_worker_deaths_total'), 1)
  await gateway.stop()
  await Promise.all(stalled)
})

test('a worker that is busy is not waited for: its newest figures stand in', async (t) => {
  const upstream = await fakeUpstream({ freshIds: true })
  t.after(() => upstream.close())
  const gateway = await startGateway(['--workers', '2', '--openai-base-url', upstream.url])
  t.after(() => gateway.stop())
  for (let n = 0; n < 10; n++) assert.equal(await ask(gateway.url), 'whole')
  const page = async (signal: AbortSignal) => {
    const reply = await fetch(`${gateway.url}/metrics`, {
      signal,
      headers: { connection: 'close' },
    })
    return seriesOf(await reply.text())
  }
  const forever = new AbortController().signal
  await until(async () => total(await page(forever), 'sluice_interceptions_total') === 10)
  const [victim = 0] = childrenOf(gateway.child.pid ?? 0)
  process.kill(victim, 'SIGSTOP')
  try {
    // Connections go to both in turn; the one that runs answers for both.
    const enough = new AbortController()
    const pages = Array.from({ length: 4 }, () => page(enough.signal))
    const answered = await Promise.any(pages)
    enough.abort()
    await Promise.allSettled(pages)
    assert.equal(total(answered, 'sluice_interceptions_total'), 10)
  } finally {
    process.kill(victim, 'SIGCONT')
  }
})

async function ask(url: string): Promise<'whole' | 'cut'> {
  try {
    const reply = await fetch(`${url}/openai/v1/chat/completions`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        authorization: 'Bearer sk-0123456789',
        connection: 'close',
      },
      body: JSON.stringify({
        model: 'gpt-4o',
        stream: true,
        messages: [{ role: 'user', content: `${Math.random()}` }],
      }),
    })
    return /\[DONE\]/.test(await reply.text()) ? 'whole' : 'cut'
  } catch {
    return 'cut'
  }
}

function isCount(name: string): boolean {
  return /^\w+_(total|count|bucket)\b/.test(name)
}

function total(series: Series | null, name: string): number {
  const values = [...(series ?? [])].filter(([each]) => each.split('{')[0] === name)
  return values.reduce((sum, [, value]) => sum + value, 0)
}

function childrenOf(pid: number): number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').map(Number)
}

async function until<T>(look: () => T | Promise<T>): Promise<NonNullable<T>> {
  for (;;) {
    const found = await look()
    if (found) return found
    await pause(20)
  }
}
