import type { Round, RoundOptions } from '../../format.ts'
import { arrayOf, countOf, isObject, type JsonObject, objectOf, stringOf } from '../../json.ts'
import { eventName, frameJson } from '../frame-json.ts'
import { InOrder } from '../in-order.ts'
import { compactJson, jsonText } from '../json-text.ts'
import { errorOf } from '../reply-error.ts'
import { ReplyEvents } from '../reply-events.ts'
import { ReplyRound } from '../reply-round.ts'
import { anthropicUsage } from '../usage.ts'

/** A reader of one reply of the Messages API. */
export function createRound(options: RoundOptions): Round {
  const events = new ReplyEvents(options, anthropicUsage)
  const blocks = new InOrder<Block>()
  let stopReason: unknown
  let whole = false

  function readMessage(message: JsonObject): void {
    if (typeof message.id === 'string') events.messageId ||= message.id
    events.model(message.model)
    if (isObject(message.usage)) events.usage(message.usage)
    stopReason = message.stop_reason ?? stopReason
  }

  function start(index: number, content: JsonObject): void {
    // Thinking and calls are told when whole, text as it comes.
    blocks.open(index, { content, text: openingText(content), json: '' })
    if (content.type === 'text') events.text(content.text)
    else if (isCall(content.type)) events.generating = true
  }

  function append(index: number, delta: JsonObject): void {
    if (delta.type === 'text_delta') {
      events.text(delta.text)
      return
    }
    const block = blocks.get(index)
    if (!block) return
    if (delta.type === 'input_json_delta') block.json += stringOf(delta.partial_json) ?? ''
    else if (delta.type === 'thinking_delta') block.text += stringOf(delta.thinking) ?? ''
    else return
    events.generating = true
  }

  function tell({ content, text, json }: Block): void {
    if (content.type === 'thinking') events.reasoning('thinking', text)
    else if (content.type === 'redacted_thinking') events.reasoning(content.type, '', true)
    else if (isCall(content.type)) tellCall(content, content.type, json)
  }

  function tellCall(content: JsonObject, type: string, json: string): void {
    events.toolCall({
      toolCallId: stringOf(content.id) ?? '',
      tool: stringOf(content.name) ?? '',
      input: json === '' ? inputText(content.input) : compactJson(json),
      serverUrl: stringOf(content.server_name) ?? null,
      ...(type === 'tool_use' ? {} : { metadata: { type } }),
    })
  }

  return new ReplyRound(options, events, {
    readFrame(frame) {
      if (frame.event === 'ping') return
      const json = frameJson(frame)
      const event = objectOf(json)
      switch (eventName(frame) || event.type) {
        case 'content_block_delta':
          return append(countOf(event.index) ?? 0, objectOf(event.delta))
        case 'content_block_start':
          return start(countOf(event.index) ?? 0, objectOf(event.content_block))
        case 'content_block_stop':
          return blocks.close(countOf(event.index) ?? 0).forEach(tell)
        case 'message_start':
          return readMessage(objectOf(event.message))
        case 'message_delta':
          readMessage({ ...objectOf(event.delta), usage: event.usage })
          return
        case 'message_stop':
          whole = true
          return
        case 'error':
          return events.error(errorOf(isObject(json) ? event : { error: frame.data }))
      }
    },
    readBody(body) {
      readMessage(body)
      for (const content of arrayOf(body.content).map(objectOf)) {
        if (content.type === 'text') events.text(content.text)
        tell({ content, text: openingText(content), json: '' })
      }
    },
    readRest() {
      blocks.rest().forEach(tell)
      events.finish(stopReason)
    },
    isWhole: () => whole,
  })
}

interface Block {
  readonly content: JsonObject
  /** Thinking so far. */
  text: string
  /** The pieces of a call's input so far. */
  json: string
}

function openingText(content: JsonObject): string {
  return stringOf(content.thinking) ?? ''
}

/** `tool_use`, `server_tool_use`, `mcp_tool_use`; results have other types. */
function isCall(type: unknown): type is string {
  return typeof type === 'string' && type.endsWith('tool_use')
}

/** Streams open a call with an empty input; that of a whole body is an object. */
function inputText(input: unknown): string {
  if (typeof input === 'string') return input
  return (input === undefined || input === null ? '' : jsonText(input)) || '{}'
}
