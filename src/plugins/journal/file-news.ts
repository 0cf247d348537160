import type { Diagnostics } from '../../core/diagnostics.ts'

/** What became of a journal's file. */
export type FileNews =
  | { readonly type: 'adopted'; readonly file: string }
  /** So many of its records could still be read, and go on in another file. */
  | { readonly type: 'damaged'; readonly file: string; readonly records: number }
  | { readonly type: 'removed'; readonly file: string; readonly records: number }
  | { readonly type: 'unreadable'; readonly file: string; readonly error: string }

export interface TellNewsOptions {
  readonly diagnostics: Diagnostics
  /** Who counts it. */
  readonly recorder: string
  readonly folder: string
}

/** Counts and logs it. */
export function tellNews(
  { type, ...fields }: FileNews,
  { diagnostics, recorder, folder }: TellNewsOptions,
): void {
  if (type === 'adopted')
    diagnostics.log('info', 'the journal of a process that ended is taken over', fields)
  if (type === 'damaged') {
    diagnostics.count('records_dropped', { recorder, reason: 'journal_damaged' })
    const message = 'a journal is damaged and was set aside; what can be read of it goes on'
    diagnostics.log('error', message, { folder, ...fields })
  }
  if (type === 'removed') {
    const message = 'somebody removed the journal’s file: it is written anew with what waits'
    diagnostics.log('error', message, { folder, ...fields })
  }
  if (type === 'unreadable')
    diagnostics.log('warn', 'a journal’s file cannot be opened', { folder, ...fields })
}
