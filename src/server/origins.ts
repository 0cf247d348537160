/** Whether a text is an origin as browsers send it: scheme, host, and the port if it is not the usual one. */
export function isOrigin(text: string): boolean {
  const url = URL.parse(text)
  return url !== null && /^https?:$/.test(url.protocol) && url.origin === text.toLowerCase()
}
