import { randomUUIDv7 } from 'node:crypto'

/** Names this process on the interceptions that it owns. No PID: those repeat, and lie in containers. */
export const processId: string = randomUUIDv7()
