import type { Format } from '../../format.ts'
import { objectOf } from '../../json.ts'
import type { Frame } from '../../sse.ts'
import { peekJson } from '../frame-json.ts'
import { openaiErrorBody } from '../openai-error.ts'
import { readRequest } from './request.ts'
import { createRound } from './round.ts'
import { textRun } from './text-run.ts'

/** OpenAI's Chat Completions API: https://platform.openai.com/docs/api-reference/chat */
export const openaiChat: Format = {
  name: 'openai_chat',
  readRequest,
  createRound,
  isTerminal,
  textRun,
  errorBody: openaiErrorBody,
}

function isTerminal(frame: Frame): boolean {
  if (frame.data.startsWith('[DONE]')) return true
  if (!frame.data.includes('"error"')) return false
  // Some vendors carry `"error": null` on every chunk.
  return (objectOf(peekJson(frame)).error ?? null) !== null
}
