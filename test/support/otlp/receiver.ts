import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { gunzipSync } from 'node:zlib'
import { Server, ServerCredentials } from '@grpc/grpc-js'
import { logsOf, type ReceivedLog, type ReceivedSpan, spansOf } from './messages.ts'

export interface OtlpReceiver {
  /** For `OTEL_EXPORTER_OTLP_ENDPOINT`. */
  readonly url: string
  readonly spans: readonly ReceivedSpan[]
  readonly logs: readonly ReceivedLog[]
  /** All bytes that came, as text: for what must not be among them. */
  readonly text: () => string
  /** Resolves when what came passes the test. */
  until(test: () => boolean): Promise<void>
  close(): Promise<void>
}

/** What OTLP exporters send to, over HTTP with protobuf. */
export async function otlpReceiver(): Promise<OtlpReceiver> {
  const received = new Received()
  const server = createServer(async (request, response) => {
    const body = await buffer(request)
    const bytes = request.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body
    received.take(request.url === '/v1/logs' ? 'logs' : 'traces', bytes)
    response.setHeader('content-type', 'application/x-protobuf').end()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return Object.assign(received, {
    url: `http://127.0.0.1:${port}`,
    close: async () => {
      server.closeAllConnections()
      server.close()
    },
  })
}

/** The same over gRPC, for spans. */
export async function grpcReceiver(): Promise<OtlpReceiver> {
  const received = new Received()
  const server = new Server()
  const path = '/opentelemetry.proto.collector.trace.v1.TraceService/Export'
  server.addService(
    {
      Export: {
        path,
        requestStream: false,
        responseStream: false,
        requestSerialize: (bytes: Buffer) => bytes,
        requestDeserialize: (bytes: Buffer) => bytes,
        responseSerialize: (bytes: Buffer) => bytes,
        responseDeserialize: (bytes: Buffer) => bytes,
      },
    },
    {
      Export: (call: { request: Buffer }, done: (error: null, reply: Buffer) => void) => {
        received.take('traces', call.request)
        done(null, Buffer.alloc(0))
      },
    },
  )
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    ),
  )
  return Object.assign(received, {
    url: `http://127.0.0.1:${port}`,
    close: async () => server.forceShutdown(),
  })
}

class Received {
  readonly spans: ReceivedSpan[] = []
  readonly logs: ReceivedLog[] = []
  readonly #chunks: Uint8Array[] = []
  readonly #watchers = new Set<() => void>()

  take(kind: 'logs' | 'traces', bytes: Uint8Array): void {
    this.#chunks.push(bytes)
    if (kind === 'logs') this.logs.push(...logsOf(bytes))
    else this.spans.push(...spansOf(bytes))
    for (const watch of this.#watchers) watch()
  }

  text = (): string => Buffer.concat(this.#chunks).toString('latin1')

  until = (test: () => boolean): Promise<void> =>
    new Promise((resolve) => {
      const watch = () => {
        if (!test()) return
        this.#watchers.delete(watch)
        resolve()
      }
      this.#watchers.add(watch)
      watch()
    })
}
