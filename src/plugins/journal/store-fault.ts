/**
 * True where the store or the way to it is at fault, so that the same records may be stored later: they are
 * tried for ever. Anything else may be a record's fault, and is looked into.
 */
export function isStoreFault(error: unknown): boolean {
  const code = (error as { code?: unknown } | null | undefined)?.code
  if (typeof code !== 'string') return false
  return systemCodes.test(code) || (code.startsWith('ERR_STORE_') && code !== 'ERR_STORE_WRITE')
}

const systemCodes =
  /^(ECONN\w+|ETIMEDOUT|EPIPE|ENOTFOUND|EAI_AGAIN|EHOST\w+|ENET\w+|ENOSPC|EDQUOT|EROFS|EACCES|EMFILE|ENFILE|EIO)$/
