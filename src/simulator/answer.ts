import type { PromptTokens } from './question.ts'

/** What the simulated model says; each wire format writes it in its own shapes. */
export interface Answer {
  readonly thoughts: readonly string[]
  readonly text: string
  readonly calls: readonly ToolCall[]
  readonly finish: 'stop' | 'length' | 'tool_calls'
  readonly usage: Usage
  /** So many more text events of so many bytes, which no later frame repeats. */
  readonly fill?: { readonly events: number; readonly bytes: number } | undefined
}

export interface ToolCall {
  readonly name: string
  readonly namespace?: string | undefined
  /** An object, or the text for a tool that takes free text. */
  readonly input: unknown
}

export interface Usage extends PromptTokens {
  /** All that the model wrote, thoughts too. */
  readonly output: number
  readonly reasoning: number
}

/** One server-sent event, or with `comment` one comment line. */
export interface ServerSentEvent {
  readonly event?: string
  readonly data?: string
  readonly id?: string
  readonly comment?: string
}

/** A new id of 24 hex digits behind the prefix at each call, the same ones for the same seed. */
export type Ids = (prefix: string) => string

/** The text in the pieces in which a model streams it: word by word, then the fill. */
export function* textPieces({ text, fill }: Answer): Iterable<string> {
  yield* wordsOf(text)
  const piece = fill && '.'.repeat(fill.bytes)
  for (let sent = 0; piece && sent < fill.events; sent++) yield piece
}

export function wordsOf(text: string): string[] {
  return text.match(/\s*\S+\s*$|\s*\S+/g) ?? []
}

/** A call's arguments as the text on the wire, in two pieces. */
export function inputPieces({ input }: ToolCall): string[] {
  const text = inputText(input)
  const middle = Math.ceil(text.length / 2)
  return [text.slice(0, middle), text.slice(middle)].filter(Boolean)
}

export function inputText(input: unknown): string {
  return typeof input === 'string' ? input : JSON.stringify(input)
}
