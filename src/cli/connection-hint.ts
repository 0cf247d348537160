/** What to do about a gateway that can't be reached, after what was wrong; empty where it answered. */
export function connectionHint(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  if (code === 'ECONNREFUSED' || code === 'ENOTFOUND' || code === 'EAI_AGAIN')
    return '. Is a gateway running there? --url or SLUICE_URL says where'
  if (code === 'EPROTO' || code === 'ERR_SSL_WRONG_VERSION_NUMBER')
    return '. Does it speak https? --url or SLUICE_URL says http:// or https://'
  return ''
}
