import { deepEqual, equal, match } from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, test } from 'node:test'
import { fakeUpstream } from '../../src/simulator/server.ts'
import { otlpReceiver } from '../support/otlp/receiver.ts'
import { routes } from '../support/questions.ts'
import { clientSpan, TracedGateways } from '../support/traces.ts'

let gateways: TracedGateways

before(async () => {
  gateways = new TracedGateways(await fakeUpstream({ freshIds: true }), await otlpReceiver())
})

after(() => gateways.close())

for (const stream of [false, true]) {
  test(`of a ${stream ? 'streamed' : 'blocking'} request that the client's trace drops there is no span, and the provider is told so`, async () => {
    const gateway = await gateways.start()
    const { path, ask } = routes.messages
    const traceId = randomBytes(16).toString('hex')
    const headers = { traceparent: `00-${traceId}-${clientSpan}-00` }
    const dropped = await gateways.send(gateway.url, path, { ...ask, stream }, { headers })
    equal(dropped.status, 200)
    match(String(dropped.sent.headers.traceparent), new RegExp(`^00-${traceId}-[0-9a-f]{16}-00$`))
    // Spans of one gateway come in the order of their ends.
    const { spans } = await gateways.traced(path, { ...ask, stream }, { gateway })
    equal(spans.length > 5, true)
    deepEqual(
      gateways.otlp.spans.filter((span) => span.traceId === traceId),
      [],
    )
  })
}

test('where the sampler drops all, requests are served and nothing is exported', async () => {
  const gateway = await gateways.start([], { env: { OTEL_TRACES_SAMPLER: 'always_off' } })
  const { path, ask } = routes.chat
  const before = gateways.otlp.spans.length
  const { status, sent } = await gateways.send(gateway.url, path, ask)
  equal(status, 200)
  match(String(sent.headers.traceparent), /-00$/)
  await gateway.stop()
  equal(gateways.otlp.spans.length, before)
})

test('spans whose attributes a variable limits are cut, leaves too', async () => {
  const env = { OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT: '5' }
  const gateway = await gateways.start([], { env })
  const { path, ask } = routes.messages
  const { named } = await gateways.traced(path, ask, { gateway })
  for (const name of ['Intercept', 'Intercept.RecordPromptUsage']) {
    equal(named(name).attributes.model, 'test-')
  }
})
