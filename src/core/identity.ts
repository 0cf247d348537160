import type { Context } from 'koa'
import { SluiceError } from './errors.ts'
import type { Initiator } from './interception.ts'

/** What a host may say of who is asking. */
export type InitiatorAnswer =
  | string
  | {
      readonly id: string
      readonly username?: string | undefined
      readonly name?: string | undefined
      readonly role?: string | undefined
      readonly apiKeyId?: string | undefined
    }

type Answer = InitiatorAnswer | null | undefined

/** Tells who is behind a request; nothing, or a throw, refuses it. */
export type InitiatorFunction = (ctx: Context) => Answer | Promise<Answer>

/** Throws, or rejects with, a `SluiceError` of status 403 or 503. */
export type Identify = (ctx: Context) => Initiator | Promise<Initiator>

/** Asks the host who it is, for at most `timeout` ms. */
export function identifyBy(initiator: InitiatorFunction, timeout = 5000): Identify {
  return (ctx) => {
    const answer = ask(ctx, initiator)
    return answer instanceof Promise
      ? limited(answer, timeout).then(initiatorOf)
      : initiatorOf(answer)
  }
}

function initiatorOf(answer: Answer): Initiator {
  const known = typeof answer === 'string' ? { id: answer } : answer
  if (!known || typeof known.id !== 'string' || known.id === '') throw unknownInitiator()
  const { id, username = id, name, role, apiKeyId } = known
  // Frozen, since every plugin gets to see it.
  return Object.freeze({
    id,
    username,
    ...(name !== undefined && { name }),
    ...(role !== undefined && { role }),
    ...(apiKeyId !== undefined && { apiKeyId }),
  })
}

function ask(ctx: Context, initiator: InitiatorFunction): Answer | Promise<Answer> {
  try {
    return initiator(ctx)
  } catch (error) {
    throw error instanceof SluiceError ? error : unknownInitiator(error)
  }
}

async function limited(answer: Promise<Answer>, timeout: number): Promise<Answer> {
  let timer: NodeJS.Timeout | undefined
  try {
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(tooLate()), timeout)
    })
    return await Promise.race([answer, late])
  } catch (error) {
    throw error instanceof SluiceError ? error : unknownInitiator(error)
  } finally {
    clearTimeout(timer)
  }
}

function tooLate(): SluiceError {
  return new SluiceError('it took too long to find out who you are: try again in a moment', {
    code: 'ERR_IDENTITY_TIMEOUT',
    status: 503,
    retryAfter: 1,
  })
}

function unknownInitiator(cause?: unknown): SluiceError {
  return new SluiceError('this gateway does not know who you are: log in, or send a valid token', {
    code: 'ERR_NO_INITIATOR',
    status: 403,
    cause,
  })
}
