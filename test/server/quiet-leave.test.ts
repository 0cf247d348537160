import { doesNotMatch } from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { after, test } from 'node:test'
import { fakeUpstream } from '../../src/simulator/server.ts'
import { startGateway } from '../support/gateway-process.ts'
import { routes } from '../support/questions.ts'

test('a client that resets its connection amid a stream is no error in the log, only how its request ended', async () => {
  const upstream = await fakeUpstream({ reply: { stall: 3 } })
  after(() => upstream.close())
  const gateway = await startGateway(['--anthropic-base-url', upstream.url])
  after(() => gateway.child.kill('SIGKILL'))
  const body = JSON.stringify({ ...routes.messages.ask, stream: true })
  const socket = connect(Number(new URL(gateway.url).port), '127.0.0.1')
  socket.write(
    `POST ${routes.messages.path} HTTP/1.1\r\nhost: 127.0.0.1\r\nx-api-key: key\r\n` +
      `content-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  )
  await once(socket, 'data')
  socket.resetAndDestroy()
  await gateway.line(/client_gone/)
  await gateway.stop()
  doesNotMatch(gateway.output().stderr, /error/)
})
