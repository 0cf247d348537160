import type { RequestListener } from 'node:http'
import Koa from 'koa'
import { Diagnostics, type Log } from '../core/diagnostics.ts'
import type { Config } from './config.ts'
import { guard } from './guard.ts'
import { ownHeaders } from './own-headers.ts'
import { refuse } from './refusal.ts'

/** What is answered between taking the port and having opened the store: the process lives, and asks to wait. */
export function starting(config: Config, log: Log): RequestListener {
  const koa = new Koa()
  // A client that breaks its connection off is nobody's fault.
  koa.silent = true
  koa.use(guard({ config: () => config, diagnostics: new Diagnostics(log) }))
  koa.use(ownHeaders)
  koa.use((ctx) => {
    const isRead = ctx.method === 'GET' || ctx.method === 'HEAD'
    if (isRead && ctx.path === '/healthz') {
      ctx.body = { status: 'ok' }
      return
    }
    ctx.set('retry-after', '1')
    if (isRead && ctx.path === '/readyz') {
      ctx.status = 503
      ctx.body = { status: 'starting', faults: [] }
    } else refuse(ctx, config.providers, { status: 503, message })
  })
  return koa.callback()
}

const message = 'Sluice is starting: its store is being opened. Try again in a moment.'
