import { SluiceError } from './errors.ts'
import { bitOf } from './event-mask.ts'
import type { GatewayOptions } from './gateway-options.ts'
import type { Plugin } from './plugin.ts'

type CheckedOptions = Required<
  Pick<GatewayOptions, 'providers' | 'plugins' | 'initiator' | 'transport' | 'layers'>
>

/**
 * Throws one error that names everything that will not do: for who has no compiler, and for what a compiler lets
 * through. A function, which has a name, passes for a plugin by type.
 */
export function checkOptions(options: CheckedOptions): void {
  const faults = faultsOf(options)
  if (faults.length > 0) {
    throw new SluiceError(`createGateway: ${faults.join('; ')}`, { code: 'ERR_OPTIONS' })
  }
}

function faultsOf({ providers, plugins, initiator, transport, layers }: CheckedOptions): string[] {
  return [
    ...listFaults('providers', providers, (provider) =>
      typeof provider === 'object' && typeof provider?.name === 'string'
        ? []
        : ['is no provider: call anthropic() or openai()'],
    ),
    ...listFaults('plugins', plugins, pluginFaults),
    ...listFaults('layers', layers, (layer) =>
      typeof layer === 'function' ? [] : ['is no layer: give (send) => send'],
    ),
    ...(typeof initiator === 'function'
      ? []
      : ['initiator must be a function that says who is asking: (ctx) => ctx.state.user']),
    ...(transport === 'undici' || transport === 'got' || typeof transport?.send === 'function'
      ? []
      : ["transport must be 'undici', 'got' or a Transport"]),
  ]
}

function listFaults<T>(
  option: string,
  list: readonly T[],
  faultsOfItem: (item: T) => string[],
): string[] {
  if (!Array.isArray(list)) return [`${option} must be a list`]
  return list.flatMap((item, index) =>
    faultsOfItem(item).map((fault) => `${option}[${index}] ${fault}`),
  )
}

function pluginFaults(plugin: Plugin): string[] {
  if (typeof plugin === 'function') {
    return ['is a function: call it (a price goes into capturers({ price: cost() }))']
  }
  if (Array.isArray(plugin)) return ['is a list: put "..." before it']
  if (typeof plugin?.name !== 'string') return ['is no plugin: it has no name']
  const { name, observe, record, open, close, faults, observes = [] } = plugin
  if (!(observe || record || open || close || faults)) {
    return [`("${name}") neither observes nor records: give it observe() or record()`]
  }
  const unknown = observes.filter((type) => bitOf(type) === undefined)
  return unknown.map((type) => `("${name}") observes "${type}", which is no event`)
}
