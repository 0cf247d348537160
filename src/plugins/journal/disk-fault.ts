/** True where SQLite cannot read what is in the file: https://sqlite.org/rescode.html, SQLITE_CORRUPT, SQLITE_NOTADB. */
export function isDamaged(error: unknown): boolean {
  return [11, 26].includes(resultCode(error))
}

/** SQLITE_FULL, SQLITE_IOERR, or the system's own word for it. */
export function isDiskFault(error: unknown): boolean {
  const { code } = error as { code?: unknown }
  return [13, 10].includes(resultCode(error)) || /^(ENOSPC|EDQUOT|EIO)$/.test(String(code))
}

function resultCode(error: unknown): number {
  return ((error as { errcode?: number }).errcode ?? 0) & 0xff
}
