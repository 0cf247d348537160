import { styleText } from 'node:util'
import { printable } from '../server/printable.ts'
import { outcomeText, toolText } from './interception-text.ts'
import type { Told } from './source.ts'
import { shortened } from './table-text.ts'
import { counted } from './tell.ts'
import { clock, dollars, figure } from './told-values.ts'

/** Whose conversation it is, and its sums. */
export function sessionHead(session: Told): string {
  const { initiator, client, models, started_at, last_active_at, token_usage_summary } = session
  const facts = [
    counted(session.interceptions, 'interception'),
    counted(session.prompts, 'prompt'),
    counted(session.tool_calls, 'tool call'),
    tokens(token_usage_summary),
    dollars(session.cost_nano_usd, session.unpriced),
  ]
  return lines([
    bold([session.id, initiator?.username, client, (models ?? []).join(', ')].map(name).join('  ')),
    `${clock(started_at)} to ${clock(last_active_at)}  ${facts.filter(Boolean).join(', ')}`,
  ])
}

/** A prompt, and step by step what was thought and called for it. */
export function threadText(thread: Told): string {
  const { started_at, prompt, model, token_usage, agentic_actions = [], outcome } = thread
  const facts = [
    model,
    tokens(token_usage),
    dollars(thread.cost_nano_usd, thread.unpriced),
    outcomeText(thread),
  ]
  return lines([
    '',
    `${dim(clock(started_at))}  ${bold(one(prompt ?? '(no prompt)', 200))}`,
    `    ${dim(
      facts
        .filter(Boolean)
        .map((fact) => one(fact, 120))
        .join('  '),
    )}${mark(outcome)}`,
    ...(agentic_actions as readonly Told[]).flatMap(({ thinking = [], tool_calls = [] }) => [
      ...(thinking as readonly Told[]).map(({ text }) => `    ${dim(`· ${one(text, 200)}`)}`),
      ...(tool_calls as readonly Told[]).map((call) => `    → ${one(toolText(call), 200)}`),
    ]),
  ])
}

function mark(outcome: unknown): string {
  return outcome === 'completed' || outcome === undefined ? '' : styled('red', '  ✗')
}

function tokens(usage: Told | undefined): string {
  if (!usage) return ''
  return `${figure(usage.input_tokens)} in, ${figure(usage.output_tokens)} out`
}

function one(text: unknown, width: number): string {
  return shortened(printable(String(text)).trim(), width)
}

/** Of any length, but on one line. */
function name(text: unknown): string {
  return printable(String(text)).trim()
}

function lines(parts: readonly string[]): string {
  return parts.map((part) => `${part}\n`).join('')
}

const bold = (text: string) => styled('bold', text)
const dim = (text: string) => styled('dim', text)

/** Colours on a terminal alone, and where NO_COLOR does not forbid them. */
function styled(style: 'bold' | 'dim' | 'red', text: string): string {
  return styleText(style, text, { stream: process.stdout })
}
