import type { Diagnostics } from '../diagnostics.ts'

/** Says something of a server or a tool, `about` it. */
export type Tell = (level: 'warn' | 'info', message: string, about: string) => void

const againMs = 10 * 60_000
const maxKept = 10_000

/** Logs what is news: each user has connections of their own, and all of them tell the same of a server that is away. */
export function newsOnly(log: Diagnostics['log']): Tell {
  const latest = new Map<string, { readonly message: string; readonly at: number }>()
  return (level, message, about) => {
    const known = latest.get(about)
    const now = performance.now()
    if (known?.message === message && now - known.at < againMs) return
    if (latest.size >= maxKept) latest.clear()
    latest.set(about, { message, at: now })
    log(level, message)
  }
}
