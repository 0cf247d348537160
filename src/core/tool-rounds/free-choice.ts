import { isObject, objectOf } from '../json.ts'
import type { JsonEdit } from '../json-edit.ts'

/**
 * Leaves the choice to the model where the client forced a call and the model has made it with one of our tools: forced
 * again in each round it would never come to answer. Where the client has tools of its own it waits for one of those.
 */
export function freeChoice(
  request: JsonEdit,
  isOurs: (tool: string) => boolean,
  tools: () => readonly string[] | null,
): void {
  const choice = request.value('tool_choice')
  const { type, name, function: named } = objectOf(choice)
  const forced = name ?? objectOf(named).name
  const any = choice === 'required' || type === 'any'
  if (any ? tools()?.every(isOurs) : typeof forced === 'string' && isOurs(forced)) {
    request.set('tool_choice', isMessages(choice) ? freed(choice) : 'auto')
  }
}

function isMessages(choice: unknown): choice is { readonly disable_parallel_tool_use?: unknown } {
  return isObject(choice) && (choice.type === 'any' || choice.type === 'tool')
}

function freed({
  disable_parallel_tool_use: one,
}: {
  readonly disable_parallel_tool_use?: unknown
}) {
  return { type: 'auto', ...(one !== undefined && { disable_parallel_tool_use: one }) }
}
