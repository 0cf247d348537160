import { expression, type ToolChoice } from './server-options.ts'

/** Tells by its own name whether a tool is offered: what is denied is not, whatever else allows it. */
export function toolFilter({ allow, deny }: ToolChoice): (name: string) => boolean {
  const allowed = expression(allow)
  const denied = expression(deny)
  return (name) => !denied?.test(name) && (allowed?.test(name) ?? true)
}
