import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { type ConfigSources, readApiAddress, readConfig } from '../../src/server/config.ts'
import { flagOf, settingNames, settings } from '../../src/server/settings.ts'

const empty = emptyFolder()

test('nothing said gives the defaults of the contract', () => {
  const config = read({})
  assert.equal(config.host, '127.0.0.1')
  assert.equal(config.port, 4141)
  assert.equal(config.transport, 'undici')
  assert.equal(config.store, 'sqlite:./sluice-data/sluice.db')
  assert.equal(config.commitWait, 1000)
  assert.equal(config.maxBodySize, 32 * 1024 ** 2)
  assert.equal(config.allowByok, true)
  assert.equal(config.upstreamHeadersTimeout, 600_000)
  assert.deepEqual(
    config.providers.map(({ name, type, vendor, key }) => ({ name, type, vendor, key })),
    [
      { name: 'anthropic', type: 'anthropic', vendor: true, key: undefined },
      { name: 'openai', type: 'openai', vendor: true, key: undefined },
    ],
  )
  assert.notEqual(config.user, '')
})

test('every default can be written as a user would write it', () => {
  for (const name of settingNames) {
    const { fallback, schema } = settings[name]
    if (fallback !== undefined) assert.doesNotThrow(() => schema.parse(fallback), name)
  }
})

test('the documentation tells each setting and its default', () => {
  const page = readFileSync(new URL('../../docs/configuration.md', import.meta.url), 'utf8')
  for (const name of settingNames) {
    const row = page.split('\n').find((line) => line.startsWith(`| \`${flagOf(name)}\` |`))
    assert.ok(row, name)
    const { fallback } = settings[name]
    if (fallback !== undefined) assert.ok(row.includes(`| \`${fallback}\` |`), name)
  }
})

test('a flag beats a variable, and a variable beats the file', () => {
  const folder = emptyFolder({ 'sluice.config.yaml': 'port: 1\nlogLevel: warn\ntransport: got\n' })
  const config = read({
    folder,
    env: { SLUICE_PORT: '2', SLUICE_LOG_LEVEL: 'debug' },
    flags: { port: '3' },
  })
  assert.equal(config.port, 3)
  assert.equal(config.logLevel, 'debug')
  assert.equal(config.transport, 'got')
})

test('all faults are told at once, each with its place and none with a secret', () => {
  const folder = emptyFolder({
    'sluice.config.yaml': [
      'prot: 1',
      'maxRecords: many',
      'host: 0.0.0.0',
      'providers:',
      '  - { name: Bad_Name, type: openai, baseUrl: https://a.example }',
      '  - { name: x, type: gemini, key: sk-secret }',
      '  - { name: y, type: openai, baseUrl: ftp://b.example, colour: red }',
      'clients:',
      '  - { client: mine, when: { userAgent: "(" } }',
    ].join('\n'),
  })
  const message = faultsOf({
    folder,
    unknown: ['--prot'],
    flags: { port: 'abc', auth: 'ldap' },
    env: {
      SLUICE_DISCONNECT: 'perhaps',
      SLUICE_OPENAI_KEY: 'sk-secret',
      SLUICE_OPENAI_KEY_FILE: '/nowhere/at/all',
      HTTPS_PROXY: 'socks5://x',
    },
  })
  for (const part of [
    '--prot: unknown',
    '--port: must be a whole number from 0 to 65535 (it is "abc")',
    '--auth: must be none, tokens, jwt or header (it is "ldap")',
    'SLUICE_DISCONNECT: must be abort or drain',
    'SLUICE_OPENAI_KEY and SLUICE_OPENAI_KEY_FILE',
    'SLUICE_OPENAI_KEY_FILE: cannot read',
    'HTTPS_PROXY: must be',
    'sluice.config.yaml: prot: unknown',
    'sluice.config.yaml: maxRecords: must be a whole number',
    'sluice.config.yaml: host: "0.0.0.0" can be reached by others',
    'sluice.config.yaml: providers[0].name: provider name "Bad_Name"',
    'sluice.config.yaml: providers[1].type: must be anthropic or openai',
    'sluice.config.yaml: providers[2].baseUrl: base URL "ftp://b.example" is no http(s) URL',
    'sluice.config.yaml: providers[2].colour: unknown',
    'sluice.config.yaml: client rules: clients[0].when.userAgent',
  ])
    assert.ok(message.includes(part), `${part}\n--- is not in\n${message}`)
  assert.ok(!message.includes('sk-secret'))
})

test('settings that contradict each other are refused', () => {
  const clashes: [ConfigSources, RegExp][] = [
    [{ flags: { requireRecording: 'true', commitWait: '0' } }, /needs a commit-wait/],
    [{ flags: { requireRecording: 'true', store: 'memory:' } }, /needs a store that commits/],
    [{ flags: { journalMax: '64KiB' } }, /--journal-max: must be 1MiB or more/],
    [{ flags: { structuredLogFile: 'x' } }, /needs structured-logging/],
    [
      { flags: { host: '192.168.1.1' } },
      /can be reached by others, and auth is none: .*auth \(tokens/,
    ],
    [{ flags: { host: '127.0.0.1.example.com' } }, /can be reached by others/],
    [{ flags: { demo: true, openaiKey: 'k' } }, /--openai-key: --demo/],
    [{ flags: { store: 'mysql://x' } }, /must be sqlite:FILE/],
    [{ flags: { drainTimeout: '30' } }, /is no duration/],
  ]
  for (const [sources, message] of clashes) assert.match(faultsOf(sources), message)
  const { jwt, header } = { jwt: { auth: 'jwt' }, header: { auth: 'header' } }
  const identity: [Readonly<Record<string, unknown>>, RegExp][] = [
    [jwt, /--auth: jwt needs jwt-issuer/],
    [{ ...jwt, jwtIssuer: 'https://id.example' }, /--auth: jwt needs jwt-audience/],
    [{ ...jwt, jwtIssuer: 'id.example', jwtAudience: 'x' }, /--jwt-issuer: must be an http/],
    [{ jwtRoleClaim: 'groups' }, /--jwt-role-claim: needs auth jwt \(it is none\)/],
    [header, /--auth: header needs trusted-proxies/],
    [{ ...header, trustedProxies: '10.0.0.0/99' }, /--trusted-proxies: must be addresses/],
    [{ ...header, trustedProxies: '10.0.0.1', authHeader: 'a b' }, /--auth-header: must be/],
    [{ trustedProxies: '10.0.0.1' }, /--trusted-proxies: needs auth tokens, jwt, header/],
    [{ bootstrapToken: 'x'.repeat(40) }, /--bootstrap-token: needs auth tokens/],
    [{ auth: 'tokens', bootstrapToken: 'too short' }, /--bootstrap-token: must be 32 to 512/],
    [{ auth: 'tokens', demo: true }, /--demo runs without login/],
    [{ tlsCertFile: 'cert.pem' }, /--tls-cert-file: needs tls-key-file/],
    [{ tlsCertFile: '/nowhere', tlsKeyFile: '/nowhere' }, /--tls-cert-file: cannot read the file/],
    [{ corsOrigins: 'https://a.example/path' }, /--cors-origins: must be origins/],
    [{ corsOrigins: '*' }, /--cors-origins: must be origins/],
  ]
  for (const [flags, message] of identity) assert.match(faultsOf({ flags }), message)
  assert.doesNotMatch(faultsOf({ flags: { bootstrapToken: 'canary' } }), /canary/)
  const certificate = { tlsCertFile: 'package.json', tlsKeyFile: 'package.json' }
  const project = { folder: join(import.meta.dirname, '../..') }
  assert.match(
    faultsOf({ ...project, flags: certificate }),
    /are no certificate \(PEM\) and its key/,
  )
  // Behind a journal this one commits, too.
  const journaled = { requireRecording: 'true', store: 'mongodb://127.0.0.1/' }
  assert.equal(read({ flags: journaled }).requireRecording, true)
})

test('any host may be listened on once there is a login, and lists come from wherever they are written', () => {
  const flags = { auth: 'tokens', host: '0.0.0.0', trustedProxies: '10.0.0.0/8, ::1' }
  const config = read({ flags })
  assert.equal(config.host, '0.0.0.0')
  assert.deepEqual(config.trustedProxies, ['10.0.0.0/8', '::1'])
  assert.deepEqual(config.corsOrigins, [])
  const origins = ['https://a.example', 'http://localhost:3000']
  const folder = emptyFolder({ 'sluice.config.json': JSON.stringify({ corsOrigins: origins }) })
  assert.deepEqual(read({ folder }).corsOrigins, origins)
  assert.deepEqual(read({ env: { SLUICE_CORS_ORIGINS: origins.join() } }).corsOrigins, origins)
})

test('a variable of a stranger is no fault', () => {
  const config = read({
    env: { SLUICE_PORT: 'tcp://10.0.0.1:4141', SLUICE_PORT_4141_TCP: 'x', SLUICE_OPENAI_KEY: '' },
  })
  assert.equal(config.port, 4141)
  assert.equal(config.openaiKey, undefined)
})

test('a vendor’s own key variable is not taken for the gateway’s', () => {
  const { providers } = read({ env: { ANTHROPIC_API_KEY: 'sk', OPENAI_API_KEY: 'sk' } })
  assert.deepEqual(
    providers.map(({ key }) => key),
    [undefined, undefined],
  )
})

test('secrets come from files, less the line end', () => {
  const folder = emptyFolder({
    key: 'sk-from-file\n',
    'sluice.config.json': JSON.stringify({
      providers: [{ name: 'mine', type: 'openai', baseUrl: 'http://a.example', keyFile: 'key' }],
    }),
  })
  const { providers } = read({ folder, env: { SLUICE_ANTHROPIC_KEY_FILE: join(folder, 'key') } })
  assert.deepEqual(
    providers.map(({ name, key }) => [name, key]),
    [
      ['anthropic', 'sk-from-file'],
      ['openai', undefined],
      ['mine', 'sk-from-file'],
    ],
  )
})

test('a provider of the file takes the place of the usual one of that name', () => {
  const folder = emptyFolder({
    'my.yaml':
      'chatUsage: off\nproviders: [{ name: openai, type: openai, baseUrl: "http://a.example/v1", chatUsage: ask, passthrough: [/v1/files/*] }]',
  })
  const config = read({ folder, flags: { config: 'my.yaml' } })
  const [first, second, ...others] = config.providers
  assert.equal(first?.name, 'anthropic')
  assert.equal(first?.chatUsage, 'off')
  assert.equal(second?.baseUrl.host, 'a.example')
  assert.equal(second?.chatUsage, 'ask')
  assert.ok(second?.passthrough.includes('/files/*'))
  assert.equal(others.length, 0)
  assert.match(
    faultsOf({ folder, flags: { config: 'my.yaml', openaiBaseUrl: 'http://b.example' } }),
    /--openai-base-url: my.yaml has a provider named openai/,
  )
})

test('a file that is missing, broken, twice there or no mapping is a fault', () => {
  assert.match(faultsOf({ flags: { config: 'none.yaml' } }), /none\.yaml: ENOENT/)
  assert.match(
    faultsOf({ folder: emptyFolder({ 'sluice.config.json': '{"port": ' }) }),
    /sluice\.config\.json: /,
  )
  assert.match(
    faultsOf({ folder: emptyFolder({ 'sluice.config.yaml': '- a' }) }),
    /must hold settings/,
  )
  const both = emptyFolder({ 'sluice.config.yaml': '', 'sluice.config.json': '{}' })
  assert.match(faultsOf({ folder: both }), /only one of them may exist/)
})

test('the usual proxy variables are honoured, the lower-case name first', () => {
  const { proxy } = read({
    env: {
      http_proxy: 'proxy:3128',
      HTTP_PROXY: 'http://other',
      HTTPS_PROXY: 'http://u:p@x:1',
      NO_PROXY: 'a,b',
    },
  })
  assert.deepEqual(proxy, {
    httpProxy: 'http://proxy:3128/',
    httpsProxy: 'http://u:p@x:1/',
    noProxy: 'a,b',
  })
})

test('--demo has a store of its own, unless one is named', () => {
  assert.equal(read({ flags: { demo: true } }).store, 'sqlite:./sluice-data/demo.db')
  assert.equal(read({ flags: { demo: true, store: 'memory:' } }).store, 'memory:')
})

test('the address of a running gateway comes from --url or SLUICE_URL', () => {
  const env = { SLUICE_URL: 'http://a', SLUICE_TOKEN: 't' }
  assert.deepEqual(readApiAddress({ env }), { url: 'http://a', token: 't' })
  assert.equal(readApiAddress({ flags: { url: 'http://b' }, env }).url, 'http://b')
  assert.throws(() => readApiAddress({ flags: { url: 'b' }, env }), /--url: must be/)
  assert.throws(() => readApiAddress({ flags: { url: '' }, env }), /--url: must be/)
  const file = join(mkdtempSync(join(tmpdir(), 'sluice-token-')), 'token')
  writeFileSync(file, 't\n')
  const inFile = { SLUICE_URL: 'http://a', SLUICE_TOKEN_FILE: file }
  assert.deepEqual(readApiAddress({ env: inFile }), { url: 'http://a', token: 't' })
  assert.throws(
    () => readApiAddress({ env: { ...inFile, SLUICE_TOKEN: 't' } }),
    /SLUICE_TOKEN and SLUICE_TOKEN_FILE: only one/,
  )
  const none = { ...inFile, SLUICE_TOKEN_FILE: `${file}.none` }
  assert.throws(() => readApiAddress({ env: none }), /SLUICE_TOKEN_FILE: cannot read the file/)
})

function read(sources: ConfigSources) {
  return readConfig({ env: {}, folder: empty, ...sources })
}

function faultsOf(sources: ConfigSources): string {
  try {
    read(sources)
  } catch (error) {
    return String(error)
  }
  return 'no fault'
}

function emptyFolder(files: Readonly<Record<string, string>> = {}): string {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-config-'))
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
  return folder
}

test('prices of one’s own are taken from the file, and their faults are told', () => {
  const good = emptyFolder({
    'sluice.config.yaml': 'prices:\n  my-model: { input: 3, output: 15 }\n',
  })
  assert.deepEqual(read({ folder: good }).prices, { 'my-model': { input: 3, output: 15 } })
  const bad = emptyFolder({ 'sluice.config.yaml': 'prices:\n  my-model: { input: cheap }\n' })
  assert.throws(() => read({ folder: bad }), {
    code: 'ERR_CONFIG',
    message: /prices\.my-model\.input: must be a number.*\n.*prices\.my-model\.output: must be/,
  })
})
