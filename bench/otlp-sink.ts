import { createServer } from 'node:http'

/** Takes whatever an exporter sends and looks at nothing. */
const server = createServer((request, response) => {
  request.resume().once('end', () => response.end())
})
server.listen({ port: 0, host: '127.0.0.1' }, () => {
  const address = server.address()
  if (typeof address === 'object') console.log(`listening on http://127.0.0.1:${address?.port}`)
})
