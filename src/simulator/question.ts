import { type JsonObject, objectOf, stringOf } from '../core/json.ts'

/** What a request asks of the model, read alike from all three wire formats. */
export interface Question {
  /** The request's body, for the members that a reply echoes. */
  readonly request: JsonObject
  readonly model: string
  readonly stream: boolean
  /** System and developer texts. */
  readonly instructions: string
  /** The user's last own words. */
  readonly prompt: string
  /** What tools answered since then; with these the model says its last word. */
  readonly results: readonly string[]
  readonly tools: readonly OfferedTool[]
  readonly toolChoice: 'auto' | 'none' | 'required' | { readonly name: string }
  readonly parallel: boolean
  /** The client asked the model to think. */
  readonly reasoning: boolean
  /** The JSON schema that the text must follow. */
  readonly schema?: JsonObject | undefined
  readonly maxTokens?: number | undefined
  readonly tokens: PromptTokens
}

export interface OfferedTool {
  readonly name: string
  readonly namespace?: string | undefined
  /** The JSON schema of its arguments; null for a tool that takes free text. */
  readonly parameters: JsonObject | null
}

export interface PromptTokens {
  /** All of the prompt, cached parts too. */
  readonly total: number
  readonly cacheRead: number
  readonly cacheWrite: number
}

/** One message of a conversation, whatever the format. */
export interface Turn {
  readonly role: string
  readonly texts: readonly string[]
  readonly results: readonly string[]
}

/** The user's last own words and the tool results that came after them. */
export function lastWords(turns: readonly Turn[]): Pick<Question, 'prompt' | 'results'> {
  const results: string[] = []
  for (const turn of turns.toReversed()) {
    results.unshift(...turn.results)
    const own = turn.role === 'user' ? turn.texts.filter((text) => !isWrapped(text)) : []
    const prompt = own.at(-1)
    if (prompt !== undefined) {
      return {
        prompt: prompt.replace(/^<current_datetime>.*?<\/current_datetime>\s*/s, ''),
        results,
      }
    }
  }
  return { prompt: '', results }
}

export function instructionsOf(turns: readonly Turn[]): string {
  return turns
    .filter(({ role }) => role === 'system' || role === 'developer')
    .flatMap(({ texts }) => texts)
    .join('\n')
}

/** Four bytes a token; what was there before the newest message counts as cached once a model has answered. */
export function promptTokens(
  messages: readonly unknown[],
  rest: unknown,
  { block = 1, writes = false }: { block?: number; writes?: boolean } = {},
): PromptTokens {
  const newest = tokensOf(messages.at(-1))
  const before = tokensOf([rest, ...messages.slice(0, -1)])
  const answered = messages
    .map(objectOf)
    .some(({ role, type }) => role === 'assistant' || type === 'function_call')
  const cacheRead = answered ? before - (before % block) : 0
  const total = before + newest
  return { total, cacheRead, cacheWrite: writes ? Math.max(0, total - cacheRead - 3) : 0 }
}

/** The text of a member that may be a string or a list of blocks with a `text`. */
export function textsOf(content: unknown): string[] {
  if (typeof content === 'string') return [content]
  if (!Array.isArray(content)) return []
  return content.flatMap((block: unknown) => stringOf(objectOf(block).text) ?? [])
}

/** Agents wrap what they add to a prompt in one element; that is not the user talking. */
function isWrapped(text: string): boolean {
  const name = /^<(system-reminder|environment_details|environment_context)>/.exec(text.trim())?.[1]
  return name !== undefined && text.trim().endsWith(`</${name}>`)
}

function tokensOf(value: unknown): number {
  return Math.ceil((JSON.stringify(value) ?? '').length / 4)
}
