import { type Answer, inputText, type ToolCall, wordsOf } from './answer.ts'
import type { OfferedTool, Question } from './question.ts'
import { toolArguments } from './tool-arguments.ts'

/** What the simulated model answers: it follows from the request alone. `given` replaces parts of it. */
export function answerTo(question: Question, given: Partial<Answer> = {}): Answer {
  const calls = given.calls ?? plannedCalls(question)
  const text = given.text ?? plannedText(question, calls)
  const thoughts = given.thoughts ?? (question.reasoning ? [thoughtAbout(question, calls)] : [])
  const words = wordsOf(text)
  const cut = question.maxTokens !== undefined && words.length > question.maxTokens
  const said = cut ? words.slice(0, question.maxTokens) : words
  const reasoning = thoughts.reduce((sum, thought) => sum + wordsOf(thought).length, 0)
  const called = cut ? 0 : calls.reduce((sum, call) => sum + callTokens(call), 0)
  return {
    thoughts,
    text: said.join(''),
    calls: cut ? [] : calls,
    finish: given.finish ?? (cut ? 'length' : calls.length > 0 ? 'tool_calls' : 'stop'),
    usage: given.usage ?? {
      ...question.tokens,
      output: said.length + called + reasoning,
      reasoning,
    },
    fill: given.fill,
  }
}

function plannedCalls(question: Question): ToolCall[] {
  const { prompt, tools, results, toolChoice, parallel } = question
  if (results.length > 0 || tools.length === 0 || toolChoice === 'none' || isSummary(question))
    return []
  const wanted = wantedTools(question)
  const twice = wanted.length === 1 && /\b(in parallel|twice|both)\b/i.test(prompt)
  const chosen = twice ? [...wanted, ...wanted] : wanted
  return (parallel ? chosen : chosen.slice(0, 1)).map((tool) => callOf(tool, prompt))
}

function wantedTools({ prompt, tools, toolChoice }: Question): OfferedTool[] {
  if (typeof toolChoice === 'object') return tools.filter(({ name }) => name === toolChoice.name)
  const named = tools.filter(({ name }) => isNamed(name, prompt))
  if (named.length > 0) return named
  const shell = tools.find(({ name }) => SHELL.test(name))
  if (ACTION.test(prompt) || toolChoice === 'required')
    return [shell ?? tools[0]].flatMap((t) => t ?? [])
  // A coding agent's tools have everyday names; only without a shell among them is a shared word a wish.
  return shell ? [] : tools.filter(({ name }) => sharesWord(name, prompt)).slice(0, 1)
}

const SHELL =
  /^(bash|shell|exec_command|run_shell_command|run_terminal_cmd|execute_command|local_shell)$/i
const ACTION =
  /\b(run|execute)\b|\b(use|call|try)\b.{0,30}\btools?\b|\blist\b.{0,30}\b(files|director\w+|folders?)\b/i

/** An everyday word such as `read` counts as a tool's name only where the prompt treats it as one. */
function isNamed(name: string, prompt: string): boolean {
  const literal = name.replace(/[^\w-]/g, '\\$&')
  if (/[_\d]|[a-z][A-Z]/.test(name)) return new RegExp(`(?<!\\w)${literal}(?!\\w)`).test(prompt)
  const cue = `\\b(?:use|call|invoke|with|run)\\s+(?:the\\s+)?${literal}\\b|\\b${literal}\\s+(?:tool|function)\\b|[\`'"]${literal}[\`'"]`
  return new RegExp(cue, 'i').test(prompt)
}

function sharesWord(name: string, prompt: string): boolean {
  const words = name.split(/[^a-zA-Z]+|(?<=[a-z])(?=[A-Z])/).filter(({ length }) => length > 3)
  return words.some((word) => prompt.toLowerCase().includes(word.toLowerCase()))
}

function callOf({ name, namespace, parameters }: OfferedTool, prompt: string): ToolCall {
  const input = parameters ? toolArguments(parameters, prompt) : 'print("hello from the simulator")'
  return { name, namespace, input }
}

function callTokens({ name, input }: ToolCall): number {
  return 8 + Math.ceil((name.length + inputText(input).length) / 4)
}

function plannedText(question: Question, calls: readonly ToolCall[]): string {
  const { prompt, results, schema } = question
  if (schema) return JSON.stringify(toolArguments(schema, titleOf(prompt)))
  if (isTitle(question)) return titleOf(prompt)
  if (isSummary(question))
    return '<summary>\nThe user tried the simulated model. Nothing is left to do.\n</summary>'
  if (results.length > 0) return `That worked. The tool said: ${results.map(quoted).join(' and ')}.`
  if (calls.length > 0) return `I will use ${calls.map(({ name }) => name).join(' and ')}.`
  return `You wrote ${quoted(prompt)}. This is the simulated model: it cannot think, but it streams, calls tools and counts tokens like a real one. Offer it a tool and ask it to use the tool to see a call.`
}

function thoughtAbout({ prompt, results }: Question, calls: readonly ToolCall[]): string {
  const names = calls.map(({ name }) => name).join(' and ')
  if (calls.length > 0) return `The user wants ${quoted(prompt)}. Calling ${names} will settle it.`
  if (results.length > 0) return 'The tool has answered, so I can close the matter.'
  return `The user wrote ${quoted(prompt)}. No tool is needed for that; a short answer will do.`
}

function isTitle({ instructions, prompt, tools }: Question): boolean {
  return (
    tools.length === 0 &&
    /title generator|(generate|write) (a|the) title/i.test(`${instructions}\n${prompt}`)
  )
}

function isSummary({ prompt, tools }: Question): boolean {
  if (prompt.startsWith('CRITICAL: Respond with TEXT ONLY')) return true
  return tools.length === 0 && /\bsummar\w*\b[^.]{0,80}\bconversation\b/i.test(prompt)
}

function titleOf(prompt: string): string {
  const inner = /<session>\s*(.*?)\s*<\/session>/s.exec(prompt)?.[1] ?? prompt
  const words = inner.match(/[\p{L}\d'-]+/gu) ?? ['Conversation']
  return words.slice(0, 6).join(' ')
}

function quoted(text: string): string {
  const line = text.trim().replace(/\s+/g, ' ')
  return `“${line.length > 160 ? `${line.slice(0, 160)}…` : line}”`
}
