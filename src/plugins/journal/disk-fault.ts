/**
 * True where SQLite cannot read what is in the file: https://sqlite.org/rescode.html, SQLITE_CORRUPT, SQLITE_NOTADB,
 * and of its extended codes SQLITE_IOERR_READ, SQLITE_IOERR_SHORT_READ.
 */
export function isDamaged(error: unknown): boolean {
  const { errcode = 0 } = error as { errcode?: number }
  return [11, 26].includes(resultCode(error)) || [266, 522].includes(errcode)
}

/** SQLITE_FULL, SQLITE_IOERR, or the system's own word for it. */
export function isDiskFault(error: unknown): boolean {
  const { code } = error as { code?: unknown }
  return [13, 10].includes(resultCode(error)) || /^(ENOSPC|EDQUOT|EIO)$/.test(String(code))
}

function resultCode(error: unknown): number {
  return ((error as { errcode?: number }).errcode ?? 0) & 0xff
}
