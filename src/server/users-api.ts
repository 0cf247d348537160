import Router from '@koa/router'
import type { Context } from 'koa'
import type { Log } from '../core/diagnostics.ts'
import { SluiceError } from '../core/errors.ts'
import { newToken, newUser, roleChange } from './account-schemas.ts'
import { tokenShape, userShape } from './account-shapes.ts'
import type { Accounts } from './accounts/accounts.ts'
import type { Identify } from './identity/identity.ts'
import { answerFault, atLeast, callerOf, knowCaller } from './identity/rest-caller.ts'
import { readJsonBody } from './json-body.ts'

export interface UsersApiOptions {
  readonly accounts: Accounts
  readonly authorize: Identify
  readonly log: Log
}

/** Users and their API tokens, for owners. `/users/me` tells everybody who they are. */
export function usersApi({ accounts, authorize, log }: UsersApiOptions): Router {
  const router = new Router({ prefix: '/api/v2' })
  const known = knowCaller(authorize)
  const owner = atLeast('owner')

  router.get('/users/me', known, noStore, (ctx) => {
    const { id, username, name, role } = callerOf(ctx)
    ctx.body = { id, username, ...(name !== undefined && { name }), role }
  })
  router.use(['/users', '/tokens'], known, noStore, owner, faults(log))
  router.get('/users', async (ctx) => {
    const users = (await accounts.users()).map(userShape)
    ctx.body = { count: users.length, users }
  })
  router.post('/users', async (ctx) => {
    const read = await readJsonBody(ctx, newUser)
    if ('error' in read) return refuse(ctx, read.error)
    ctx.body = userShape(await accounts.addUser(read.body.username, read.body.role))
    ctx.status = 201
  })
  router.put('/users/:username', async (ctx) => {
    const read = await readJsonBody(ctx, roleChange)
    if ('error' in read) return refuse(ctx, read.error)
    ctx.body = userShape(await accounts.setRole(ctx.params.username ?? '', read.body.role))
  })
  router.delete('/users/:username', async (ctx) => {
    await accounts.removeUser(ctx.params.username ?? '')
    ctx.status = 204
  })
  router.get(['/tokens', '/users/:username/tokens'], async (ctx) => {
    const tokens = (await accounts.tokens(ctx.params.username)).map(tokenShape)
    ctx.body = { count: tokens.length, tokens }
  })
  router.post('/users/:username/tokens', async (ctx) => {
    const read = await readJsonBody(ctx, newToken)
    if ('error' in read) return refuse(ctx, read.error)
    const { name, expires_in: seconds } = read.body
    const username = ctx.params.username ?? ''
    const expiresIn = seconds === undefined ? undefined : seconds * 1000
    const created = await accounts.createToken({ username, name, expiresIn })
    ctx.body = { ...tokenShape(created), token: created.token }
    ctx.status = 201
  })
  router.delete('/tokens/:id', async (ctx) => {
    await accounts.revokeToken(ctx.params.id ?? '')
    ctx.status = 204
  })
  return router
}

async function noStore(ctx: Context, next: () => Promise<unknown>): Promise<void> {
  ctx.set('cache-control', 'no-store')
  await next()
}

/** What an owner did wrong is told; what the store says of its trouble is for the log. */
function faults(log: Log) {
  return async (ctx: Context, next: () => Promise<unknown>): Promise<void> => {
    try {
      await next()
    } catch (error) {
      if (error instanceof SluiceError && error.status < 500) return answerFault(ctx, error)
      log('error', 'the users of the store could not be read or changed', { path: ctx.path, error })
      ctx.status = 500
      ctx.body = { message: 'Internal error in the store of users: see the log.' }
    }
  }
}

function refuse(ctx: Context, error: object): void {
  ctx.status = 400
  ctx.body = error
}
