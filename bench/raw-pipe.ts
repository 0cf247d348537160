import { Agent, createServer, type IncomingHttpHeaders, request as send } from 'node:http'

/** What all ratios are to: the least that a proxy on `node:http` can do, with nothing looked at. */
const upstream = new URL(process.argv[2] ?? '')
const agent = new Agent({ keepAlive: true })

const server = createServer((request, response) => {
  const { method, url, headers } = request
  const { hostname, port } = upstream
  const onward = send(
    { agent, hostname, port, method, path: url, headers: endToEnd(headers) },
    (reply) => {
      response.writeHead(reply.statusCode ?? 502, endToEnd(reply.headers))
      reply.pipe(response)
    },
  )
  onward.on('error', () => response.destroy())
  response.on('close', () => {
    if (!response.writableFinished) onward.destroy()
  })
  request.pipe(onward)
})
server.listen({ port: 0, host: '127.0.0.1', backlog: 2048 }, () => {
  const address = server.address()
  if (typeof address === 'object') console.log(`listening on http://127.0.0.1:${address?.port}`)
})

function endToEnd(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  const {
    connection,
    'keep-alive': keepAlive,
    'transfer-encoding': coding,
    host,
    ...rest
  } = headers
  return rest
}
