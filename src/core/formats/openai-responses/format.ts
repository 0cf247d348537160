import type { Format } from '../../format.ts'
import { objectOf } from '../../json.ts'
import type { Frame } from '../../sse.ts'
import { eventName, peekJson } from '../frame-json.ts'
import { openaiErrorBody } from '../openai-error.ts'
import { readRequest } from './request.ts'
import { createRound } from './round.ts'
import { textRun } from './text-run.ts'

/** OpenAI's Responses API: https://platform.openai.com/docs/api-reference/responses */
export const openaiResponses: Format = {
  name: 'openai_responses',
  readRequest,
  createRound,
  isTerminal,
  textRun,
  errorBody: openaiErrorBody,
}

function isTerminal(frame: Frame): boolean {
  const name = eventName(frame)
  if (name !== '') return ends.has(name)
  return maybeEnd.test(frame.data) && ends.has(objectOf(peekJson(frame)).type)
}

const ends: ReadonlySet<unknown> = new Set([
  'response.completed',
  'response.failed',
  'response.incomplete',
  'error',
])

const maybeEnd = /"response\.(completed|failed|incomplete)"|"error"/
