import type { ErrorType } from '../../events.ts'
import type { Format } from '../../format.ts'
import { objectOf } from '../../json.ts'
import type { Frame } from '../../sse.ts'
import { eventName, peekJson } from '../frame-json.ts'
import { readRequest } from './request.ts'
import { createRound } from './round.ts'
import { textRun } from './text-run.ts'

/** Anthropic's Messages API: https://docs.anthropic.com/en/api/messages */
export const anthropicMessages: Format = {
  name: 'anthropic_messages',
  readRequest,
  createRound,
  isTerminal,
  textRun,
  errorBody,
}

function isTerminal(frame: Frame): boolean {
  const name = eventName(frame)
  if (name !== '') return isEnd(name)
  return maybeEnd.test(frame.data) && isEnd(objectOf(peekJson(frame)).type)
}

function isEnd(type: unknown): boolean {
  return type === 'message_stop' || type === 'error'
}

const maybeEnd = /"message_stop"|"error"/

function errorBody({ status, message }: { status: number; errorType: ErrorType; message: string }) {
  return {
    type: 'error',
    error: { type: errorTypes[status] ?? defaultType(status), message },
    request_id: null,
  }
}

const errorTypes: Readonly<Record<number, string>> = {
  401: 'authentication_error',
  402: 'billing_error',
  403: 'permission_error',
  404: 'not_found_error',
  408: 'timeout_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
  503: 'overloaded_error',
  504: 'timeout_error',
  529: 'overloaded_error',
}

function defaultType(status: number): string {
  return status >= 500 ? 'api_error' : 'invalid_request_error'
}
