import { deepEqual, equal, match, ok } from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { createServer, type Server } from 'node:http'
import {
  type AddressInfo,
  createServer as createTcpServer,
  type Server as TcpServer,
} from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { text } from 'node:stream/consumers'
import { after, test } from 'node:test'
import { readConfig } from '../../src/server/config.ts'
import { logFile } from '../../src/server/log-file.ts'
import { openLogTransports } from '../../src/server/log-transports/open-transports.ts'
import { createLogger } from '../../src/server/logger.ts'
import { structuredLog } from '../../src/server/structured-log.ts'
import { fakeUpstream } from '../../src/simulator/server.ts'
import { startGateway, workFolder } from '../support/gateway-process.ts'
import { routes } from '../support/questions.ts'
import { wholeInterception } from '../support/stored-records.ts'

test('a file is set aside when it is full, and only so many are kept', async () => {
  const folder = newFolder()
  const path = join(folder, 'sluice.log')
  const { log, flush, drops } = opened([{ type: 'file', path, maxSize: '2KiB', maxFiles: 3 }])
  for (let line = 0; line < 100; line++) {
    log('info', `line ${line}`)
    await flush()
  }
  deepEqual(readdirSync(folder).sort(), ['sluice.log', 'sluice.log.1', 'sluice.log.2'])
  for (const file of readdirSync(folder)) ok(statSync(join(folder, file)).size <= 2048)
  equal(statSync(path).mode & 0o777, 0o600)
  const kept = ['.2', '.1', ''].flatMap((end) => linesOf(`${path}${end}`))
  const numbers = kept.map(({ message }) => Number(message.split(' ')[1]))
  // The newest, in order, with none missing between.
  deepEqual(
    numbers,
    numbers.map((_, at) => 100 - numbers.length + at),
  )
  deepEqual(drops, [])
})

for (const kind of ['transport', 'structured-log-file'] as const) {
  test(`a disk that is full costs lines of a ${kind}: each is counted, and the file tells of the gap`, async () => {
    const folder = newFolder()
    const path = join(folder, 'full.log')
    symlinkSync('/dev/full', path)
    const { log, flush, drops } =
      kind === 'transport' ? opened([{ type: 'file', path, maxFiles: 1 }]) : openedFile(path)
    log('info', 'one')
    log('info', 'two')
    log('info', 'three')
    await flush()
    deepEqual(drops, ['ENOSPC', 'ENOSPC', 'ENOSPC'])
    // There is room again, behind half a line.
    rmSync(path)
    writeFileSync(path, '{"timest')
    log('info', 'four')
    await flush()
    log('info', 'five')
    await flush()
    const [half, ...lines] = readFileSync(path, 'utf8').trimEnd().split('\n')
    equal(half, '{"timest')
    deepEqual(
      lines.map((line) => JSON.parse(line).message),
      ['3 lines left out: the log could not be written', 'four', 'five'],
    )
    equal(drops.length, 3)
  })
}

test('lines that are lost are told of once in the log, and all counted', async () => {
  const folder = workFolder()
  const upstream = await fakeUpstream()
  after(() => upstream.close())
  const transports = [{ type: 'file', path: '/dev/full', maxFiles: 1, lines: ['records'] }]
  writeFileSync(join(folder, 'sluice.config.json'), JSON.stringify({ logTransports: transports }))
  const gateway = await startGateway(['--anthropic-base-url', upstream.url], { folder })
  after(() => gateway.child.kill('SIGKILL'))
  for (let question = 0; question < 3; question++) {
    const reply = await fetch(`${gateway.url}${routes.messages.path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-api-key': 'sk-ant-0123456789' },
      body: JSON.stringify(routes.messages.ask),
    })
    await reply.arrayBuffer()
  }
  match(
    await gateway.line(/lines of the log are lost/),
    /warn lines of the log are lost: \/dev\/full takes none reason=ENOSPC$/,
  )
  const page = await (await fetch(`${gateway.url}/metrics`)).text()
  const [, lost] = /sluice_log_lines_dropped_total\{reason="ENOSPC"\} (\d+)/.exec(page) ?? []
  ok(Number(lost) >= 12, page)
  equal(await gateway.stop(), 0)
  equal(gateway.output().stderr.match(/are lost/g)?.length, 1)
})

test('syslog over UDP: one message of RFC 5424 a line, its severity that of the line', async () => {
  const socket = createSocket('udp4').bind(0, '127.0.0.1')
  await once(socket, 'listening')
  after(() => socket.close())
  const url = `udp://127.0.0.1:${socket.address().port}`
  const { log } = opened([{ type: 'syslog', url, facility: 17, app: 'mine' }])
  const message = once(socket, 'message')
  log('warn', 'it rains')
  const [bytes] = await message
  match(
    String(bytes),
    /^<140>1 \d{4}-\d\d-\d\dT[\d:.]+Z \S+ mine \d+ log - \{"timestamp":.*"message":"it rains"\}$/,
  )
})

test('syslog over TCP: lines wait while nobody is there, and are counted out', async () => {
  const { port, close } = await listening(createTcpServer())
  await close()
  const { log } = opened([{ type: 'syslog', url: `tcp://127.0.0.1:${port}` }])
  for (const word of ['one', 'two', 'three']) log('info', word)
  let received = ''
  const server = createTcpServer((socket) => {
    socket.setEncoding('utf8').on('data', (chunk) => {
      received += chunk
      server.emit('more')
    })
  }).listen(port, '127.0.0.1')
  after(() => server.close())
  while (!/three/.test(received)) await once(server, 'more')
  const messages: string[] = []
  for (let rest = received; rest !== ''; ) {
    const [head = '', length = ''] = /^(\d+) /.exec(rest) ?? []
    messages.push(rest.slice(head.length, head.length + Number(length)))
    rest = rest.slice(head.length + Number(length))
  }
  deepEqual(
    messages.map((each) => JSON.parse(each.slice(each.indexOf('{'))).message),
    ['one', 'two', 'three'],
  )
})

test('HTTP: lines go in batches, and once more where the store was busy', async () => {
  const bodies: string[] = []
  const statuses = [503, 200, 200]
  const { url } = await httpServer(async (request, response) => {
    equal(request.headers.authorization, 'Bearer canary')
    const status = statuses.shift() ?? 200
    const body = await text(request)
    if (status === 200) bodies.push(body)
    response.writeHead(status, { 'retry-after': '0' }).end()
  })
  const folder = newFolder()
  writeFileSync(join(folder, 'token'), 'canary\n')
  const { log, flush, drops } = opened([{ type: 'http', url, tokenFile: 'token' }], folder)
  for (let line = 0; line < 600; line++) log('info', `line ${line}`)
  await flush()
  const messages = bodies.flatMap((body) =>
    body
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line).message),
  )
  deepEqual(
    messages,
    Array.from({ length: 600 }, (_, line) => `line ${line}`),
  )
  ok(bodies.length <= 4, String(bodies.length))
  deepEqual(drops, [])
})

test('a place that takes nothing costs its own lines, counted, and holds up no other', async () => {
  const { url } = await httpServer(() => {})
  const path = join(newFolder(), 'sluice.log')
  const { log, flush, drops } = opened([
    { type: 'http', url, timeout: '1h' },
    { type: 'file', path },
  ])
  const long = 'x'.repeat(100_000)
  for (let line = 0; line < 120; line++) {
    log('info', long)
    await new Promise(setImmediate)
  }
  // 8 MiB wait.
  ok(drops.length >= 30 && drops.length <= 45, String(drops.length))
  ok(drops.every((reason) => reason === 'full'))
  log('info', 'after')
  await flush()
  equal(linesOf(path).length, 121)
})

test('a store of lines that refuses them: they are counted under its status', async () => {
  const { url } = await httpServer((request, response) => {
    request.resume()
    response.writeHead(400).end()
  })
  const { log, flush, drops } = opened([{ type: 'http', url }])
  log('info', 'one')
  await flush()
  deepEqual(drops, ['http_400'])
})

test('records and the gateway’s own words go where each is wanted', async () => {
  const folder = newFolder()
  const [words, records] = [join(folder, 'words'), join(folder, 'records')]
  const { log, flush, plugins } = opened([
    { type: 'file', path: words, lines: ['log'], level: 'warn' },
    { type: 'file', path: records, lines: ['records'] },
  ])
  log('info', 'not told')
  log('error', 'told')
  await plugins[0]?.record?.(wholeInterception())
  await flush()
  deepEqual(
    linesOf(words).map(({ message }) => message),
    ['told'],
  )
  const types = linesOf(records).map(({ record_type: type }) => type)
  ok(types.includes('interception_start') && types.includes('interception_end'))
})

test('a gateway whose store can’t be reached writes every record to a transport', async () => {
  const upstream = await fakeUpstream()
  after(() => upstream.close())
  const folder = workFolder()
  const path = join(folder, 'records.ndjson')
  const file = {
    anthropicBaseUrl: upstream.url,
    logTransports: [{ type: 'file', path, lines: ['records'] }],
  }
  writeFileSync(join(folder, 'sluice.config.json'), JSON.stringify(file))
  const store = 'mongodb://127.0.0.1:9/sluice?serverSelectionTimeoutMS=300'
  const gateway = await startGateway(['--store', store, '--commit-wait', '100ms'], { folder })
  const response = await fetch(`${gateway.url}${routes.messages.path}`, {
    method: 'POST',
    headers: { 'x-api-key': 'canary-of-the-client' },
    body: JSON.stringify(routes.messages.ask),
  })
  equal(response.status, 200)
  await response.text()
  await gateway.stop()
  const types = linesOf(path).map(({ record_type: type }) => type)
  deepEqual(types.sort(), [
    'interception_end',
    'interception_start',
    'model_thought',
    'prompt_usage',
    'token_usage',
    'tool_usage',
  ])
  ok(!readFileSync(path, 'utf8').includes('canary-of-the-client'))
})

test('a transport that is written wrong is refused at the start, by its place', () => {
  const faulty = [
    { type: 'file' },
    { type: 'syslog', url: 'http://x' },
    { type: 'http', url: 'http://x', maxSize: '1' },
    { type: 'pigeon' },
  ]
  try {
    configOf(faulty, newFolder())
    ok(false)
  } catch (error) {
    const message = String(error)
    for (const place of ['0.path', '1.url', '2', '3.type'])
      ok(message.includes(`logTransports.${place}`), message)
  }
})

function opened(transports: readonly object[], folder = newFolder()) {
  const { logTransports, ...config } = configOf(transports, folder)
  const drops: string[] = []
  const onDrop = (reason: string) => drops.push(reason)
  const places = openLogTransports(logTransports, onDrop)
  after(() => places.close())
  const target = new PassThrough().resume()
  const logger = createLogger({ target, onDrop, transports: places })
  const plugins = structuredLog(config, { log: target, transports: places, onDrop })
  return { log: logger.log, flush: logger.flush, plugins, drops }
}

/** The file of `--structured-log-file`, with what is in common of records and the gateway's own lines. */
function openedFile(path: string) {
  const drops: string[] = []
  const file = logFile(path, (reason) => drops.push(reason))
  const logger = createLogger({ target: file, format: 'json' })
  return { log: logger.log, flush: logger.flush, drops }
}

function configOf(logTransports: readonly object[], folder: string) {
  writeFileSync(join(folder, 'sluice.config.json'), JSON.stringify({ logTransports }))
  return readConfig({ env: {}, folder, flags: { store: 'memory:' } })
}

function newFolder(): string {
  return mkdtempSync(join(tmpdir(), 'sluice-log-'))
}

function linesOf(path: string): { message: string; record_type?: string }[] {
  return readFileSync(path, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
}

async function httpServer(handler: Parameters<typeof createServer>[1]): Promise<{ url: string }> {
  const server = createServer(handler as never)
  const { port } = await listening(server)
  after(() => {
    server.closeAllConnections()
    server.close()
  })
  return { url: `http://127.0.0.1:${port}/lines` }
}

async function listening(server: Server | TcpServer) {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return { port, close: () => new Promise((resolve) => server.close(resolve)) }
}
