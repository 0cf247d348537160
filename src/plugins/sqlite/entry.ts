import { hash } from 'node:crypto'
import type { StoredInterception } from '../../core/recorder.ts'
import { isThread, type Summary } from '../../core/summary.ts'
import { measureValues } from './measure-columns.ts'
import { searchText } from './search-text.ts'

/** A summary as it is to be stored. */
export interface Entry {
  readonly summary: Summary
  readonly startedAt: number
  readonly endedAt: number
  /** 1: of a thread that a person asked for; 2: of one that nobody did; 0: no root. */
  readonly root: number
  readonly reaped: number
  readonly promptAt: number | null
  readonly measures: readonly number[]
  readonly tokenMetadata: string
  readonly tools: string
  readonly text: string
  /** Tells whether the text is the one that was indexed. */
  readonly textMark: number
}

/** Null where its times can't be read: it has no place in any order. */
export function entryOf(stored: StoredInterception, summary: Summary): Entry | null {
  const startedAt = Date.parse(summary.startedAt)
  const endedAt = Date.parse(summary.endedAt)
  if (Number.isNaN(startedAt) || Number.isNaN(endedAt)) return null
  const text = searchText(stored)
  return {
    summary,
    startedAt,
    endedAt,
    root: summary.threadRootId === null ? (isThread(summary) ? 1 : 2) : 0,
    reaped: Number(stored.end?.reaped ?? false),
    promptAt: summary.lastPrompt && timeOrNull(summary.lastPrompt.at),
    measures: measureValues(summary.measures),
    tokenMetadata: JSON.stringify(summary.tokenMetadata),
    tools: JSON.stringify(summary.tools),
    text,
    textMark: text === '' ? 0 : Number.parseInt(hash('sha1', text, 'hex').slice(0, 12), 16) + 1,
  }
}

/** The time of a record is what a damaged file has in its place. */
function timeOrNull(time: string): number | null {
  const at = Date.parse(time)
  return Number.isNaN(at) ? null : at
}
