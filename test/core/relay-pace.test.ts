import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { startGateway } from '../support/gateway.ts'
import { routes } from '../support/questions.ts'
import { openCall, rawCall } from '../support/raw-client.ts'

const gateway = await startGateway()
const asking = await startGateway({ provider: { chatUsage: 'ask' } })
after(async () => {
  await gateway.close()
  await asking.close()
})

/** The events of the simulator's answer, each with its blank line. */
async function eventsOf(path: string, body: object): Promise<string[]> {
  const { upstream } = gateway
  const answer = await rawCall(upstream.port, { path: path.replace(/^\/\w+/, ''), body })
  return answer.body.toString().match(/[\s\S]*?\n\n/g) ?? []
}

for (const [name, { path, ask }] of Object.entries(routes)) {
  for (const [how, { port, upstream }] of Object.entries({
    plain: gateway,
    'usage asked': asking,
  })) {
    test(`${name}, ${how}: each event is with the client before the next one is sent`, async () => {
      const body = { ...ask, stream: true }
      const events = await eventsOf(path, body)
      let seen = Promise.withResolvers<void>()
      let sent = 0
      async function* paced() {
        for (const event of events) {
          yield event
          sent++
          await seen.promise
          seen = Promise.withResolvers()
        }
      }
      upstream.next({ raw: paced() })
      const call = openCall(port, { path, body })
      let text = ''
      for (const event of events) {
        text += event
        await call.until((now) => now.toString() === text)
        // What ends the reply may come with it.
        assert.ok(sent <= text.split('\n\n').length)
        seen.resolve()
        await new Promise((resolve) => setImmediate(resolve))
      }
      assert.equal((await call.answer).end, 'whole')
    })
  }

  test(`${name}: half an event is with the client before its other half is sent`, async () => {
    const { port, upstream } = gateway
    const [first = ''] = await eventsOf(path, { ...ask, stream: true })
    const seen = Promise.withResolvers<void>()
    async function* halves() {
      yield first.slice(0, 10)
      await seen.promise
      yield first.slice(10)
    }
    upstream.next({ raw: halves() })
    const call = openCall(port, { path, body: { ...ask, stream: true } })
    await call.until((now) => now.toString() === first.slice(0, 10))
    seen.resolve()
    assert.equal((await call.answer).body.toString(), first)
  })

  test(`${name}: headers are with the client before the first byte of the body is sent`, async () => {
    const { port, upstream } = gateway
    const seen = Promise.withResolvers<void>()
    async function* late() {
      await seen.promise
      yield ': hello\n\n'
    }
    upstream.next({ raw: late() })
    const call = openCall(port, { path, body: { ...ask, stream: true } })
    await call.until((body) => body.length === 0)
    seen.resolve()
    assert.equal((await call.answer).body.toString(), ': hello\n\n')
  })
}
