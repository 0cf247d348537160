import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { type Command, MongoProcess } from './mongo-process.ts'

/** A kind of server that this machine can run, or one that runs already. */
export interface MongoServerKind {
  readonly name: string
  /** What leaves acknowledged data in place: a crash, a clean end, or nothing that we may do to it. */
  readonly survives: 'kill' | 'stop' | 'unknown'
  start(): Promise<MongoServer>
}

export interface MongoServer {
  /** Without a database's name. */
  readonly uri: string
  /** Ends it, as a crash would or cleanly. Its data stay. */
  end(how: 'kill' | 'stop'): Promise<void>
  /** Makes it stand still, as a machine that swaps would, until it is thawed. */
  freeze(): void
  thaw(): void
  /** Starts it again on the same port with the same data. */
  restart(): Promise<void>
  /** Ends it and removes its data. */
  remove(): Promise<void>
}

/**
 * The servers to test with: the one that `MONGODB_URI` names, else a `mongod` on PATH, else the stand-ins
 * that `.ci/mongo-stand-ins` installed, which speak MongoDB's protocol but are not MongoDB. Empty where
 * there is none.
 */
export function mongoServers(): readonly MongoServerKind[] {
  const uri = process.env.MONGODB_URI
  if (uri) return [running(uri)]
  if (onPath('mongod')) return [mongod]
  return [mongoJavaServer, ferretdb].filter(({ installed }) => installed)
}

function running(uri: string): MongoServerKind {
  const never = () => Promise.reject(new Error('this server is not ours to stop'))
  const nothing = () => {
    throw new Error('this server is not ours to stop')
  }
  const server = {
    uri,
    end: never,
    freeze: nothing,
    thaw: nothing,
    restart: never,
    remove: async () => {},
  }
  return { name: 'MONGODB_URI', survives: 'unknown', start: async () => server }
}

const tools = process.env.SLUICE_CI_TOOLS ?? join(homedir(), '.cache', 'sluice-ci')

const mongod = kind({
  name: 'mongod',
  survives: 'kill',
  program: 'mongod',
  args: (port, data) => ['--bind_ip', '127.0.0.1', '--port', `${port}`, '--dbpath', data],
})

const java = join(tools, 'mongo-java-server')
const classPath = [join(java, 'classes'), join(java, 'lib', '*')].join(delimiter)

const mongoJavaServer = kind({
  name: 'mongo-java-server',
  survives: 'stop',
  installed: existsSync(java) && onPath('java'),
  program: 'java',
  args: (port, data) => [
    '-Xmx1g',
    '-cp',
    classPath,
    'StandIn',
    '127.0.0.1',
    `${port}`,
    `${data}/h2`,
  ],
})

const ferretdb = kind({
  name: 'FerretDB',
  survives: 'kill',
  installed: existsSync(join(tools, 'ferretdb')),
  program: join(tools, 'ferretdb', 'ferretdb'),
  args: (port, data) => [`127.0.0.1:${port}`, data],
})

interface KindOptions extends Pick<MongoServerKind, 'name' | 'survives'>, Command {
  readonly installed?: boolean
}

function kind({ name, survives, installed = true, ...command }: KindOptions) {
  const start = async (): Promise<MongoServer> => {
    const data = mkdtempSync(join(tmpdir(), 'sluice-mongo-'))
    const server = new MongoProcess(command, data)
    await server.start()
    return {
      uri: `mongodb://127.0.0.1:${server.port}/`,
      end: (how) => server.end(how === 'kill' ? 'SIGKILL' : 'SIGTERM'),
      freeze: () => server.send('SIGSTOP'),
      thaw: () => server.send('SIGCONT'),
      restart: () => server.start(),
      remove: async () => {
        await server.end('SIGKILL')
        rmSync(data, { recursive: true, force: true })
      },
    }
  }
  return { name, survives, installed, start }
}

function onPath(command: string): boolean {
  const folders = (process.env.PATH ?? '').split(delimiter)
  return folders.some((folder) => folder !== '' && existsSync(join(folder, command)))
}
