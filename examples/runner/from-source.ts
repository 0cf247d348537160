import { registerHooks } from 'node:module'

// Preloaded where an example runs from a clone: `sluice` is this project's source, no build needed. An
// installed package needs none of this.
const entries: Readonly<Record<string, string>> = {
  '': 'index',
  '/server': 'server/app',
  '/testing': 'testing',
}

registerHooks({
  resolve(specifier, context, next) {
    const [, entry] = /^sluice(\/.*)?$/.exec(specifier) ?? []
    if (!/^sluice(\/|$)/.test(specifier)) return next(specifier, context)
    const path = entries[entry ?? ''] ?? entry?.slice(1)
    return next(new URL(`../../src/${path}.ts`, import.meta.url).href, context)
  },
})
