import assert from 'node:assert/strict'
import { test } from 'node:test'
import { anthropic, createGateway, type GatewayOptions, type Plugin } from '../../src/index.ts'
import { capturers } from '../../src/plugins/capturers.ts'
import { cost } from '../../src/plugins/cost.ts'

const fine = { providers: [anthropic()], initiator: () => 'alice' }
const observe = () => []

const faults: Readonly<Record<string, readonly [options: object, message: string]>> = {
  'nothing at all': [
    {},
    'createGateway: providers must be a list; initiator must be a function that says who is asking: (ctx) => ctx.state.user',
  ],
  'a provider that was not called': [
    { ...fine, providers: [anthropic(), anthropic] },
    'createGateway: providers[1] is no provider: call anthropic() or openai()',
  ],
  'plugins that are not in a list': [
    { ...fine, plugins: { name: 'a', observe } },
    'createGateway: plugins must be a list',
  ],
  'a list among the plugins': [
    { ...fine, plugins: [capturers()] },
    'createGateway: plugins[0] is a list: put "..." before it',
  ],
  'a plugin without a name': [
    { ...fine, plugins: [{ observe }] },
    'createGateway: plugins[0] is no plugin: it has no name',
  ],
  'a plugin that does nothing': [
    {
      ...fine,
      plugins: [
        { name: 'a', observe },
        { name: 'b', observer: observe },
      ],
    },
    'createGateway: plugins[1] ("b") neither observes nor records: give it observe() or record()',
  ],
  'an event that there is not': [
    { ...fine, plugins: [{ name: 'a', observe, observes: ['usage', 'toolcall'] }] },
    'createGateway: plugins[0] ("a") observes "toolcall", which is no event',
  ],
  'a layer that is none': [
    { ...fine, layers: [{}] },
    'createGateway: layers[0] is no layer: give (send) => send',
  ],
  'a transport that there is not': [
    { ...fine, transport: 'axios' },
    "createGateway: transport must be 'undici', 'got' or a Transport",
  ],
}

for (const [what, [options, message]] of Object.entries(faults)) {
  test(`${what}: refused, and the error says what to do`, () => {
    assert.throws(() => createGateway(options as GatewayOptions), { code: 'ERR_OPTIONS', message })
  })
}

test('a price among the plugins is refused, though a function passes for a plugin by type', () => {
  const plugins: Plugin[] = [...capturers(), cost()]
  assert.throws(() => createGateway({ ...fine, plugins }), {
    code: 'ERR_OPTIONS',
    message:
      'createGateway: plugins[4] is a function: call it (a price goes into capturers({ price: cost() }))',
  })
})

test('a plugin that only opens is one', async () => {
  const gateway = createGateway({ ...fine, plugins: [{ name: 'a', open: async () => {} }] })
  await gateway.close()
})
