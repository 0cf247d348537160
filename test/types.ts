import { map, tap } from 'rxjs'
import type { InterceptionRecord, Plugin, RecordOf } from 'sluice'
import { ofType } from 'sluice'

// What the compiler must accept and refuse of a plugin's own record type: checked by `tsc`, never run.

declare module 'sluice' {
  interface RecordTypes {
    typed_note: { readonly words: number }
  }
}

export const accepted: Plugin = {
  name: 'accepted',
  observe: (events$) =>
    events$.pipe(
      ofType('text'),
      map(({ text }) => ({ type: 'typed_note' as const, words: text.split(' ').length })),
    ),
}

export const wrongMember: Plugin = {
  name: 'wrong-member',
  // @ts-expect-error: `words` is a number
  observe: (events$) => events$.pipe(map(() => ({ type: 'typed_note' as const, words: 'two' }))),
}

export const unknownType: Plugin = {
  name: 'unknown-type',
  // @ts-expect-error: no one declared this type
  observe: (events$) => events$.pipe(map(() => ({ type: 'untyped_note' as const }))),
}

export const changesEvents: Plugin = {
  name: 'changes-events',
  observe: (events$) =>
    events$.pipe(
      ofType('text'),
      tap((event) => {
        // @ts-expect-error: events are read only
        event.text = ''
      }),
      map(() => ({ type: 'typed_note' as const, words: 0 })),
    ),
}

export function narrowed(record: InterceptionRecord): number {
  if (record.type !== 'typed_note') return 0
  const note: RecordOf<'typed_note'> = record
  // @ts-expect-error: a note has no prompt
  void note.prompt
  return note.words + note.interceptionId.length
}
