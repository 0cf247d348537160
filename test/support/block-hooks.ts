import { registerHooks } from 'node:module'
import { Server } from 'node:net'
import '../../examples/runner/from-source.ts'

// Preloaded where a block of the documentation runs: `sluice` is this project's source with the simulated
// provider as its providers' default address, and every server listens on a free port, told to the parent.
const wrapped = new URL('./sluice-with-simulator.ts', import.meta.url).href

registerHooks({
  resolve: (specifier, context, next) =>
    next(specifier === 'sluice' ? wrapped : specifier, context),
})

const { listen } = Server.prototype
Server.prototype.listen = function (this: Server, ...given: readonly unknown[]) {
  this.once('listening', () => process.send?.(this.address()))
  const callbacks = given.filter((each) => typeof each === 'function')
  return Reflect.apply(listen, this, [0, '127.0.0.1', ...callbacks])
} as typeof listen
