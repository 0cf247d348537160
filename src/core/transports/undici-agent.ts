import type { Socket } from 'node:net'
import { Agent, buildConnector, Client, type Dispatcher, Pool } from 'undici'
import { openTunnel } from './proxy.ts'

/** One pool per origin; each client in it tells a request which connection it was given. */
export function undiciAgent(connect: Connect, settings: Agent.Options): Agent {
  return new Agent({
    ...settings,
    factory: (origin, options) =>
      new Pool(origin, { ...options, factory: (at, its) => client(at, its, connect) }),
  })
}

/** undici's connector, and what it really returns: the socket that it is still connecting. */
type Connect = (
  target: buildConnector.Options,
  callback: buildConnector.Callback,
) => { destroy(error: Error): void }

/** Connects without a proxy. */
export function connector(http2: boolean): Connect {
  return buildConnector({ allowH2: http2 }) as Connect
}

/** Connects through a proxy. */
export function through(proxy: URL, connect: Connect): Connect {
  return (target, callback) => {
    const tunnel = { host: target.hostname, port: Number(target.port || 443) }
    let stage = openTunnel(proxy, tunnel, (error, socket) => {
      if (error) callback(error, null)
      else stage = connect({ ...target, httpSocket: socket as Socket }, callback)
    })
    return { destroy: (error) => stage.destroy(error) }
  }
}

/** One connection of a pool, as far as its request has to know it. */
export interface Line {
  /** Gives up a connection that is still being made; null once it is made. */
  connecting: { destroy(error: Error): void } | null
  socket: Socket | null
}

/** A handler that wants to know its connection before undici would tell it. */
export interface Lined extends Dispatcher.DispatchHandler {
  line: Line | undefined
}

function client(origin: URL, options: object, connect: Connect): Client {
  const line: Line = { connecting: null, socket: null }
  const made = new Client(origin, {
    ...options,
    connect: (target, callback) => {
      line.connecting = connect(target, (...result) => {
        line.connecting = null
        line.socket = result[1]
        callback(...result)
      })
    },
  })
  const dispatch = made.dispatch.bind(made)
  made.dispatch = (options, handler) => {
    if ('line' in handler) (handler as Lined).line = line
    return dispatch(options, handler)
  }
  return made
}
