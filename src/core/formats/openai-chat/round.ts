import type { Round, RoundOptions } from '../../format.ts'
import { arrayOf, countOf, isObject, type JsonObject, objectOf } from '../../json.ts'
import { frameJson } from '../frame-json.ts'
import { errorOf } from '../reply-error.ts'
import { ReplyEvents } from '../reply-events.ts'
import { ReplyRound } from '../reply-round.ts'
import { openaiUsage } from '../usage.ts'
import { readReasoning } from './reasoning.ts'
import { ChatToolCalls } from './tool-calls.ts'

/** A reader of one reply of the Chat Completions API. */
export function createRound(options: RoundOptions): Round {
  const events = new ReplyEvents(options, openaiUsage)
  const choices = new Map<number, Choice>()
  let done = false

  /** A chunk and a whole body differ only in `delta` and `message`. */
  function readChunk(chunk: JsonObject): void {
    if (typeof chunk.id === 'string') events.messageId ||= chunk.id
    events.model(chunk.model)
    if (typeof chunk.system_fingerprint === 'string')
      events.origin.fingerprint ||= chunk.system_fingerprint
    const list = arrayOf(chunk.choices)
    for (let at = 0; at < list.length; at++) readChoice(objectOf(list[at]), at)
    readUsage(chunk.usage)
    // Groq
    if (isObject(chunk.x_groq)) readUsage(chunk.x_groq.usage)
    events.serviceTier(chunk.service_tier)
  }

  function readUsage(usage: unknown): void {
    if (isObject(usage)) events.usage(usage)
  }

  function readChoice(json: JsonObject, at: number): void {
    const index = countOf(json.index) ?? at
    const choice = choices.get(index) ?? { reasoning: '', calls: new ChatToolCalls(), finish: null }
    choices.set(index, choice)
    readMessage(objectOf(options.streaming ? json.delta : json.message), choice, index)
    if (typeof json.finish_reason === 'string') choice.finish = json.finish_reason
    // Kimi
    readUsage(json.usage)
  }

  function readMessage(message: JsonObject, choice: Choice, index: number): void {
    const reasoning = readReasoning(message)
    if (reasoning !== '') {
      choice.reasoning += reasoning
      events.generating = true
    }
    if (typeof message.content === 'string') events.text(message.content, index)
    else for (const part of arrayOf(message.content)) events.text(textOf(objectOf(part)), index)
    events.text(message.refusal, index)
    if (choice.calls.read(message)) events.generating = true
  }

  return new ReplyRound(options, events, {
    readFrame(frame) {
      if (frame.data.startsWith('[DONE]')) {
        done = true
        return
      }
      const chunk = frameJson(frame)
      if (!isObject(chunk)) return
      readChunk(chunk)
      if ((chunk.error ?? null) !== null) events.error(errorOf(chunk))
      // Older vLLM: the chunk is the error.
      else if (chunk.object === 'error') events.error(errorOf(chunk))
    },
    readBody: readChunk,
    readRest() {
      const inOrder = [...choices].sort(([a], [b]) => a - b)
      for (const [index, { reasoning, calls, finish }] of inOrder) {
        events.reasoning('reasoning_content', reasoning)
        for (const call of calls.all()) events.toolCall(call)
        events.finish(finish, index)
      }
    },
    isWhole() {
      if (done) return true
      return choices.size > 0 && [...choices.values()].every(({ finish }) => finish !== null)
    },
  })
}

/** What is told at the end, choice by choice, so that streamed and whole replies agree. */
interface Choice {
  reasoning: string
  readonly calls: ChatToolCalls
  finish: string | null
}

function textOf(part: JsonObject): unknown {
  return part.type === 'text' ? part.text : part.type === 'refusal' ? part.refusal : undefined
}
