import { annotationConditions } from './annotation-conditions.ts'
import type { Values } from './combo-filter.ts'
import type { Scope } from './interception-list.ts'

/** Where the rows of a list come from in order of time, each through one index, and what is asked of each. */
export interface Driver {
  readonly type: 'time' | 'combos' | 'tool' | 'session' | 'text' | 'annotation'
  readonly tables: string
  /** The column that is in order. */
  readonly key: string
  readonly conditions: readonly string[]
  readonly values: Values
}

export function driverOf({ query, combos, match }: Scope, isRare: boolean): Driver {
  const { sessionId, tool, annotations = {} } = query
  // Of several initiators, it may be: whose they are is asked of their combos.
  const session =
    sessionId !== undefined && 'session IN (SELECT key FROM sessions WHERE id = $sessionId)'
  const annotated = annotationConditions(annotations)
  const values: Values = {
    ...annotated.values,
    ...(combos && (combos.keys === null ? combos.values : { combos: combos.keys })),
    ...(match !== null && { match }),
    ...(sessionId !== undefined && { sessionId }),
    ...(tool !== undefined && { tool }),
  }
  const isTool =
    'EXISTS (SELECT 1 FROM tool_uses WHERE (tool, key) = (SELECT key, summaries.key FROM names WHERE text = $tool))'
  const isAnnotated = `EXISTS (SELECT 1 FROM interceptions
    WHERE interceptions.id = summaries.id AND ${annotated.conditions.join(' AND ')})`
  // Of few the numbers are known; of many each is asked what it is.
  const inCombos = combos?.keys
    ? 'combo IN (SELECT value FROM json_each($combos))'
    : `combo IN (
         SELECT key FROM combos WHERE combos.key = OWN.combo AND ${combos?.conditions.join(' AND ')})`
  const comboOf = (table: string) => inCombos.replace('OWN', table)
  const rest = (but: Driver['type']) => [
    ...(combos && but !== 'combos' ? [`+summaries.${comboOf('summaries')}`] : []),
    ...(session && but !== 'session' ? [`+summaries.${session}`] : []),
    ...(tool !== undefined && but !== 'tool' ? [isTool] : []),
    ...(annotated.conditions.length > 0 && but !== 'annotation' ? [isAnnotated] : []),
  ]

  if (match !== null) {
    return {
      type: 'text',
      tables: 'texts CROSS JOIN summaries ON summaries.key = texts.rowid',
      key: 'texts.rowid',
      conditions: ['texts MATCH $match', ...rest('text')],
      values,
    }
  }
  if (session) {
    return {
      type: 'session',
      tables: 'summaries INDEXED BY summaries_by_session',
      key: 'summaries.key',
      conditions: [`summaries.${session}`, ...rest('session')],
      values,
    }
  }
  if (annotated.indexed && isRare) {
    return {
      type: 'annotation',
      tables: 'interceptions CROSS JOIN summaries ON summaries.id = interceptions.id',
      key: 'summaries.key',
      conditions: [
        'interceptions.ended = 1 AND interceptions.started_at >= $from AND interceptions.started_at < $to',
        ...annotated.conditions,
        ...rest('annotation'),
      ],
      values,
    }
  }
  if (tool !== undefined) {
    return {
      type: 'tool',
      tables: 'tool_uses CROSS JOIN summaries ON summaries.key = tool_uses.key',
      key: 'tool_uses.key',
      conditions: [
        'tool_uses.tool = (SELECT key FROM names WHERE text = $tool)',
        ...(combos ? [`+tool_uses.${comboOf('tool_uses')}`] : []),
        ...rest('tool').slice(combos ? 1 : 0),
      ],
      values,
    }
  }
  if (combos?.keys) {
    return {
      type: 'combos',
      tables: 'summaries INDEXED BY summaries_by_combo',
      key: 'summaries.key',
      conditions: [`summaries.${comboOf('summaries')}`, ...rest('combos')],
      values,
    }
  }
  return {
    type: 'time',
    tables: 'summaries',
    key: 'summaries.key',
    conditions: ['1', ...rest('time')],
    values,
  }
}
