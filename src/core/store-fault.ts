/**
 * True where the store or the way to it is at fault, so that the same records may be stored later: they are
 * tried for ever. Anything else may be a record's fault, and is looked into.
 */
export function isStoreFault(error: unknown): boolean {
  if (isTimeOut(error)) return true
  const code = codeOf(error)
  if (code === undefined) return false
  return (
    systemCodes.test(code) || (/^ERR_(STORE|JOURNAL)_/.test(code) && code !== 'ERR_STORE_WRITE')
  )
}

/** True where the store is there and took too long: it may take fewer records at a time. */
export function isTimeOut(error: unknown): boolean {
  if ((error as { name?: unknown } | null | undefined)?.name === 'TimeoutError') return true
  return /^(ERR_STORE_SLOW|ETIMEDOUT|ESOCKETTIMEDOUT)$/.test(codeOf(error) ?? '')
}

function codeOf(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null | undefined)?.code
  return typeof code === 'string' ? code : undefined
}

const systemCodes =
  /^(ECONN\w+|EPIPE|ENOTFOUND|EAI_AGAIN|EHOST\w+|ENET\w+|ENOSPC|EDQUOT|EROFS|EACCES|EMFILE|ENFILE|EIO)$/
