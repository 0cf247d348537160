import type { Endpoint } from './endpoint.ts'
import { exportInterceptions } from './export.ts'
import { listInterceptions, showInterception } from './interceptions.ts'
import { listSessions, showSession } from './sessions.ts'
import { showStats } from './stats.ts'
import { streamInterceptions } from './stream.ts'
import { valueLists } from './values.ts'

/** All of the API over what is recorded. */
export const endpoints: readonly Endpoint[] = [
  listInterceptions,
  showInterception,
  listSessions,
  showSession,
  ...valueLists,
  showStats,
  streamInterceptions,
  exportInterceptions,
]
