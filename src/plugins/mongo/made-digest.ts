import { createHash } from 'node:crypto'
import type { StoredInterception } from '../../core/recorder.ts'
import { summaryOf } from '../../core/summary.ts'
import type { Upsert } from './bulk-upsert.ts'
import type { DigestDocument } from './digest-document.ts'
import { facetsOf } from './facets.ts'
import { marksOf } from './marks.ts'
import { searchable, type TextDocument } from './text-document.ts'

/** Numbers what one process puts into the feed. */
export interface Feeder {
  readonly id: string
  next(): number
}

export interface MadeDigest {
  readonly id: string
  readonly rev: number
  /** Null where it is as it should be. */
  readonly digest: Upsert<DigestDocument> | null
  readonly text: Upsert<TextDocument> | null
  /** Nothing else came of it than there was. */
  readonly same: boolean
  /** What depends on it, also on what it was before. */
  readonly touches: readonly string[]
}

/** The updates that make an interception's digest and text anew from what is stored of it. */
export function madeDigest(
  { rev, stored }: { readonly rev: number; readonly stored: StoredInterception },
  old: DigestDocument | undefined,
  feeder: Feeder,
): MadeDigest {
  const { id } = stored
  // Somebody else was faster, and may have died before what comes next.
  if (old && old.rev >= rev)
    return { id, rev: old.rev, digest: null, text: null, same: true, touches: old.touches ?? [] }
  const facets = facetsOf(stored)
  const whole = summaryOf(stored)
  const summary = whole && JSON.stringify(withoutPrompt(whole))
  const text = { ...searchable(stored), prompt: whole?.lastPrompt?.text ?? '' }
  const textHash = hashOf(JSON.stringify([facets, text]))
  const [before, now] = [old ? marksOf(old) : [], marksOf(facets)]
  const same = (old?.summary ?? null) === summary && old?.textHash === textHash
  const touches = new Set([...(old?.touches ?? []), ...(same ? [] : [...before, ...now])])
  const fed = fedBy(stored, old)
  const digest: Upsert<DigestDocument> = {
    filter: { _id: id, rev: old ? old.rev : { $exists: false } },
    update: {
      $set: {
        ...facets,
        rev,
        ...(summary !== null && { summary }),
        ...(touches.size > 0 && { touches: [...touches] }),
        textHash,
        ...(fed && { fed, feeder: feeder.id, fedNumber: feeder.next() }),
      },
      ...(fed && { $currentDate: { fedAt: true } }),
    },
    upsert: !old,
  }
  const isText = text.words.length > 0 || text.prompt !== '' || old?.textHash !== undefined
  return {
    id,
    rev,
    digest,
    text: isText && old?.textHash !== textHash ? textUpsert(id, { rev, ...facets, ...text }) : null,
    same,
    touches: [...touches],
  }
}

function textUpsert(id: string, members: Omit<TextDocument, '_id'>): Upsert<TextDocument> {
  return { filter: { _id: id, rev: { $lt: members.rev } }, update: { $set: members }, upsert: true }
}

/** Whose end is to be told now: one that takes a reaper's place is told again. */
function fedBy(
  { end }: StoredInterception,
  old: DigestDocument | undefined,
): DigestDocument['fed'] | null {
  if (!end || old?.fed === 'owner') return null
  const by = end.reaped ? 'reaper' : 'owner'
  return old?.fed === by ? null : by
}

function withoutPrompt<T extends { readonly lastPrompt: { readonly text: string } | null }>(
  summary: T,
): T {
  return { ...summary, lastPrompt: summary.lastPrompt && { ...summary.lastPrompt, text: '' } }
}

function hashOf(text: string): string {
  return createHash('sha1').update(text).digest('base64')
}
