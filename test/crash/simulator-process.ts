import { fakeUpstream } from '../../src/simulator/server.ts'

// The provider of the crash tests, in a process that nobody kills. Its pace is in each request's `x-simulate`.
const { url } = await fakeUpstream({ freshIds: true, keepRequests: false })
process.stdout.write(`${url}\n`)
// It goes when the rig does, however that ends.
process.stdin.on('end', () => process.exit()).resume()
