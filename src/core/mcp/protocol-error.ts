/** An answer that is no message of the protocol, in a word: the SDK lists what each of its schemas wanted of it. */
export function protocolError(error: unknown): unknown {
  const isList = error instanceof Error && 'issues' in error && Array.isArray(error.issues)
  return isList ? new Error('its answer is no message of MCP', { cause: error }) : error
}
