import { deepEqual, equal, match, ok } from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { delay, map, mergeMap, of } from 'rxjs'
import { ofType } from '../src/core/events.ts'
import type { GatewayOptions } from '../src/core/gateway-options.ts'
import type { Plugin } from '../src/core/plugin.ts'
import type { InterceptionRecord } from '../src/core/records.ts'
import { ask, type FormatPath, type TestGateway, testGateway, until } from './support/harm.ts'

const open: { gateway: TestGateway; store: Store }[] = []
after(async () => {
  await Promise.all(
    open.map(({ gateway, store }) => {
      store.resume()
      return gateway.close()
    }),
  )
})

async function gated(options: Partial<GatewayOptions> & { durable?: false } = {}) {
  const { durable, plugins = [], ...rest } = options
  const store = heldStore(durable !== false)
  const gateway = await testGateway([...plugins, store.plugin], { commitWait: 60_000, ...rest })
  open.push({ gateway, store })
  const released = () =>
    gateway.lines
      .filter(({ message }) => message === 'released unrecorded')
      .map(({ fields }) => fields?.interception_id)
  return { gateway, store, released }
}

/** What ends a stream; a whole reply has no such frame. */
const terminal: Readonly<Record<FormatPath, string>> = {
  anthropic_messages: 'event: message_stop',
  openai_chat: 'data: [DONE]',
  openai_responses: 'event: response.completed',
}
const formats = Object.keys(terminal) as FormatPath[]

describe('the end of a reply waits for the commit of a durable recorder', () => {
  for (const format of formats) {
    test(`${format}, streamed: the terminal frame waits, and nothing before it`, async () => {
      const { gateway, store } = await gated()
      const { bytes: whole } = await ask(gateway.url, { format })
      const border = whole.indexOf(terminal[format])
      ok(border > 0)

      store.hold()
      let seen: Buffer = Buffer.alloc(0)
      let done = false
      const asked = ask(gateway.url, {
        format,
        onData: (bytes) => {
          seen = bytes
        },
      })
      void asked.then(() => {
        done = true
      })
      await until(() => seen.length >= border)
      await Promise.all([(await gateway.upstream.request(1)).ended, turns(20)])
      deepEqual(seen.toString(), whole.subarray(0, border).toString())
      equal(done, false)

      store.resume()
      const { bytes, id } = await asked
      deepEqual(bytes.toString(), whole.toString())
      ok(store.types(id).includes('interception_end'), 'its records are on disk when it ends')
    })

    test(`${format}, blocking: its last bytes wait`, async () => {
      const { gateway, store } = await gated()
      const headers = { 'x-simulate': 'split=200 delay=1' }
      const { bytes: whole } = await ask(gateway.url, { format, stream: false, headers })

      store.hold()
      let seen: Buffer = Buffer.alloc(0)
      const asked = ask(gateway.url, {
        format,
        stream: false,
        headers,
        onData: (bytes) => {
          seen = bytes
        },
      })
      await (await gateway.upstream.request(1)).ended
      await until(() => seen.length > whole.length / 2)
      await turns(20)
      ok(seen.length < whole.length)

      store.resume()
      const { bytes, id } = await asked
      deepEqual(bytes.toString(), whole.toString())
      ok(store.types(id).includes('interception_end'))
    })
  }

  test('a recorder that is not durable is not waited for', async () => {
    const { gateway, store } = await gated({ durable: false })
    store.hold()
    const { status } = await ask(gateway.url)
    equal(status, 200)
    equal(store.records.length, 0)
  })

  test('with a commit-wait of 0 nothing is waited for', async () => {
    const { gateway, store, released } = await gated({ commitWait: 0 })
    store.hold()
    await ask(gateway.url)
    deepEqual(released(), [])
    equal(gateway.gateway.diagnostics.total('commit_wait_missed'), 0)
  })

  test('replies of our own and pass-through routes are not gated', async () => {
    const { gateway, store } = await gated()
    store.hold()
    gateway.upstream.next({ cut: true })
    equal((await ask(gateway.url)).status, 502)
    equal((await fetch(`${gateway.url}/anthropic/v1/models`)).status, 200)
    equal((await fetch(`${gateway.url}/anthropic/nothing`, { method: 'POST' })).status, 404)
  })
})

describe('a store that misses the commit-wait', () => {
  test('costs one wait: the gate stays open for everyone until a commit succeeds, each reply let go is logged', async () => {
    const { gateway, store, released } = await gated({ commitWait: 300 })
    await ask(gateway.url)
    store.hold()
    const ids = [(await ask(gateway.url)).id]
    deepEqual(released(), ids)
    equal(gateway.gateway.faults().length, 1)

    const start = performance.now()
    // More than the lines of one kind that a second may have.
    for (let asked = 0; asked < 40; asked++)
      ids.push((await ask(gateway.url, { stream: false })).id)
    ok(performance.now() - start < 40 * 300, 'they did not wait')
    deepEqual(released(), ids)
    equal(gateway.gateway.diagnostics.total('commit_wait_missed'), 41)

    store.resume()
    await until(() => gateway.gateway.faults().length === 0)
    await until(() => ids.every((id) => store.types(id).includes('interception_end')))
    const { id } = await ask(gateway.url)
    ok(store.types(id).includes('interception_end'))
    equal(released().length, 41, 'nothing is lost, and replies wait again')
    const gateLines = gateway.lines
      .map(({ message }) => message)
      .filter((line) => /commit/.test(line))
    equal(gateLines.length, 2, 'opening and closing are one line each')
  })

  test('does not let go of what another store has yet to commit', async () => {
    const other = heldStore(true, 'other')
    const { gateway, store, released } = await gated({ commitWait: 200, plugins: [other.plugin] })
    store.hold()
    const first = await ask(gateway.url)
    ok(other.types(first.id).includes('interception_end'))
    // The other store commits all the time; the one that hangs costs no further wait.
    const start = performance.now()
    for (let asked = 0; asked < 10; asked++) {
      const { id } = await ask(gateway.url, { stream: false })
      ok(other.types(id).includes('interception_end'))
    }
    ok(performance.now() - start < 10 * 200)
    equal(released().length, 11)
  })

  test('with require-recording new requests get 503 and Retry-After, recorded as rejected, until it commits', async () => {
    const { gateway, store } = await gated({ commitWait: 50, requireRecording: true })
    equal((await ask(gateway.url)).status, 200)
    // The start is committed, the end is not.
    gateway.upstream.next(() => {
      store.hold()
      return {}
    })
    equal((await ask(gateway.url)).status, 200)
    const asked = gateway.upstream.requests.length
    const refused = await ask(gateway.url)
    equal(refused.status, 503)
    match(String(refused.headers['retry-after']), /^\d+$/)
    match(refused.bytes.toString(), /"type":"error"/)
    equal(gateway.upstream.requests.length, asked, 'nothing was sent upstream')
    const { end } = await gateway.kept(refused.id)
    equal(end?.outcome, 'rejected')
    equal(end?.httpStatus, 503)

    store.resume()
    await until(() => gateway.gateway.faults().length === 0)
    equal((await ask(gateway.url)).status, 200)
  })

  test('with require-recording a start that is not committed in time is refused, too', async () => {
    const { gateway, store } = await gated({ requireRecording: true })
    await ask(gateway.url)
    store.hold()
    const { status, id } = await ask(gateway.url)
    equal(status, 503)
    equal((await gateway.kept(id)).end?.outcome, 'rejected')
    equal(gateway.upstream.requests.length, 1)
    const start = performance.now()
    equal((await ask(gateway.url)).status, 503)
    ok(performance.now() - start < 900, 'that one did not wait')
  })
})

test('the start is handed to the recorders before anything is sent upstream', async () => {
  const { gateway, store } = await gated()
  let before: readonly string[] = []
  gateway.upstream.next(() => {
    before = store.records.map(({ type }) => type)
    return {}
  })
  await ask(gateway.url)
  equal(before[0], 'interception_start')
})

test('what an observer emits after the end is stored as late, and not waited for', async () => {
  const late: Plugin = {
    name: 'late',
    observe: (events$) =>
      events$.pipe(
        ofType('end'),
        mergeMap(() => of(1).pipe(delay(30))),
        map(() => ({ type: 'note' }) as never),
      ),
  }
  const { gateway, store } = await gated({ plugins: [late] })
  const { id } = await ask(gateway.url)
  equal(store.types(id).includes('note'), false)
  const note = await until(() => store.records.find(({ type }) => (type as string) === 'note'))
  equal(note.late, true)
  equal(store.records.filter((record) => record.late).length, 1, 'nothing else is late')
})

interface Store {
  readonly plugin: Plugin
  readonly records: readonly InterceptionRecord[]
  types(id: string): readonly string[]
  /** Commits nothing from now on. */
  hold(): void
  /** Commits again, also what was held. */
  resume(): void
}

function heldStore(durable: boolean, name = 'store'): Store {
  const records: InterceptionRecord[] = []
  let held = Promise.resolve()
  let release: () => void = () => {}
  return {
    plugin: {
      name,
      ...(durable && { durable: true }),
      record: async (batch) => {
        await held
        records.push(...batch)
      },
    },
    records,
    types: (id) => records.filter((record) => record.interceptionId === id).map(({ type }) => type),
    hold: () => {
      held = new Promise((resolve) => {
        release = resolve
      })
    },
    resume: () => {
      held = Promise.resolve()
      release()
    },
  }
}

/** Gives what is under way the time to go wrong. */
async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve))
}
