import type { StoreFilter } from '../core/recorder.ts'
import { snakeCase } from '../server/record-fields.ts'
import { ApiCalls, type ApiParameters } from './api-call.ts'
import { followedOverApi } from './followed-over-api.ts'
import type { Source, Told } from './source.ts'

/** A running gateway, by its API. */
export function apiSource(url: string, token: string | undefined): Source {
  const api = new ApiCalls(url, token)
  return {
    me: 'me',
    interceptions: async ({ after, ...query }) => {
      const page = await some(
        api.read('/interceptions', { ...parametersOf(query), after_id: after }),
      )
      return page as { count: number; results: Told[] }
    },
    interception: async (id) => named(await api.read(`/interceptions/${encodeURIComponent(id)}`)),
    sessions: async ({ after, afterInitiatorId, ...query }) => {
      const page = await some(
        api.read('/sessions', {
          ...parametersOf(query),
          after_session_id: after,
          after_initiator_id: afterInitiatorId,
        }),
      )
      return page as { count: number; sessions: Told[] }
    },
    session: async ({ id, after, before, ...query }) =>
      named(
        await api.read(`/sessions/${encodeURIComponent(id)}`, {
          ...parametersOf(query),
          after_id: after,
          before_id: before,
        }),
      ),
    stats: async ({ groupBy, sort, ...query }) => {
      const found = await some(
        api.read('/stats', {
          ...parametersOf(query),
          group_by: snakeCase(groupBy),
          sort: sort && snakeCase(sort),
        }),
      )
      return found.results as Told[]
    },
    exported: async ({ filter, format, onProgress }) => {
      const parameters = { ...parametersOf(filter), format }
      return counted(await api.stream('/export', parameters), onProgress)
    },
    followed: ({ filter, ...wish }) =>
      followedOverApi(api, { parameters: parametersOf(filter), ...wish }),
  }
}

/** To a URL `.` and an empty id are the list. */
function named(found: Told | null): Told | null {
  return typeof found?.id === 'string' ? found : null
}

async function some(read: Promise<Told | null>): Promise<Told> {
  return (await read) ?? {}
}

/** A query under the names of the API. */
function parametersOf({ visibleTo: _, ...query }: StoreFilter & object): ApiParameters {
  const {
    annotations = {},
    running,
    ...rest
  } = query as StoreFilter & {
    annotations?: Readonly<Record<string, string>>
    running?: boolean
  }
  return {
    ...Object.fromEntries(Object.entries(rest).map(([name, value]) => [snakeCase(name), value])),
    ...annotations,
    ...(running && { include: 'running' }),
  }
}

/** The text, counted by its lines: near enough for who looks on. */
async function* counted(
  text: AsyncIterable<Buffer>,
  onProgress: (lines: number) => void,
): AsyncGenerator<string, void> {
  const decoder = new TextDecoder()
  let lines = 0
  for await (const chunk of text) {
    for (const byte of chunk) if (byte === 10) lines++
    onProgress(lines)
    yield decoder.decode(chunk, { stream: true })
  }
}
