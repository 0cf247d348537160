import type { Round, RoundOptions } from '../../format.ts'
import { arrayOf, isObject, type JsonObject, objectOf, stringOf } from '../../json.ts'
import { eventName, frameJson } from '../frame-json.ts'
import { errorOf } from '../reply-error.ts'
import { ReplyEvents } from '../reply-events.ts'
import { ReplyRound } from '../reply-round.ts'
import { openaiUsage } from '../usage.ts'
import { appendPiece } from './append-piece.ts'
import { type OutputItem, OutputItems } from './output-items.ts'
import { tellItem } from './tell-item.ts'

/** A reader of one reply of the Responses API. */
export function createRound(options: RoundOptions): Round {
  const events = new ReplyEvents(options, openaiUsage)
  const items = new OutputItems()
  let reason: unknown
  let whole = false

  function readResponse(response: JsonObject): void {
    if (typeof response.id === 'string') events.messageId ||= response.id
    events.model(response.model)
    events.serviceTier(response.service_tier)
    if (isObject(response.usage)) events.usage(response.usage)
  }

  function readEnd(response: JsonObject, status: unknown): void {
    reason = objectOf(response.incomplete_details).reason ?? status
    if (status === 'failed' || status === 'cancelled') {
      const { errorType, message } = errorOf({ error: objectOf(response.error) })
      events.error({ errorType, message: message || `the response has status ${status}` })
    }
  }

  function tell({ json, whole, told, ...pieces }: OutputItem): void {
    tellItem(events, whole ? json : assembled(json, pieces), told)
  }

  function readEvent(type: string, event: JsonObject): void {
    switch (type) {
      case 'response.output_item.added':
        items.at(event, objectOf(event.item))
        return
      case 'response.output_item.done':
        items.close(event, objectOf(event.item)).forEach(tell)
        return
      case 'response.created':
      case 'response.queued':
      case 'response.in_progress':
        readResponse(objectOf(event.response))
        return
      case 'response.completed':
      case 'response.incomplete':
      case 'response.failed': {
        const response = objectOf(event.response)
        readResponse(response)
        items.closeAll(response.output).forEach(tell)
        whole = true
        readEnd(response, type.replace('response.', ''))
        return
      }
      case 'error':
        events.error(errorOf(event))
        return
      default:
        appendPiece(events, items, type, event)
    }
  }

  return new ReplyRound(options, events, {
    readFrame(frame) {
      const json = frameJson(frame)
      const event = objectOf(json)
      const type = eventName(frame) || stringOf(event.type) || ''
      if (type === 'error' && !isObject(json)) events.error(errorOf({ error: frame.data }))
      // Gateways break a stream off with the error of another API.
      else if (type === '' && isObject(event.error)) events.error(errorOf(event))
      else readEvent(type, event)
    },
    readBody(response) {
      readResponse(response)
      for (const item of arrayOf(response.output)) tellItem(events, objectOf(item))
      readEnd(response, response.status)
    },
    readRest() {
      items.rest().forEach(tell)
      events.finish(reason)
    },
    isWhole: () => whole,
  })
}

/** An unfinished item with its pieces where a whole one has them. */
function assembled(
  json: JsonObject,
  { input, summary, content }: Pick<OutputItem, 'input' | 'summary' | 'content'>,
): JsonObject {
  return {
    ...json,
    ...(input === '' ? {} : { arguments: input }),
    ...(summary.length === 0 ? {} : { summary: summary.map((text) => ({ text })) }),
    ...(content.length === 0 ? {} : { content: content.map((text) => ({ text })) }),
  }
}
