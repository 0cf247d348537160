/** What the paths below a prefix begin with: `/ai` for `/ai`, `/ai/` and `ai`; nothing without one. */
export function basePath(prefix: string): string {
  const name = prefix.replace(/^\/+|\/+$/g, '')
  return name === '' ? '' : `/${name}`
}
