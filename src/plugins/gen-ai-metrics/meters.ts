import type { Attributes, Meter } from '@opentelemetry/api'
import type { RecordOf } from '../../core/records.ts'
import type { Semconv } from '../../core/tracing/tracing.ts'

type Usage = RecordOf<'token_usage'>

/** What is measured, under the names of one or two versions of the conventions. */
export interface GenAiMeters {
  duration(seconds: number, attributes: Attributes): void
  firstChunk(seconds: number, attributes: Attributes): void
  usage(record: Usage, attributes: Attributes): void
  /** A reply was whole and told no usage. */
  noUsage(attributes: Attributes): void
}

export function genAiMeters(meter: Meter, semconv: Semconv): GenAiMeters {
  const all = [
    ...(semconv === 'genai-dev' ? [] : [named141(meter)]),
    ...(semconv === '1.41' ? [] : [namedDev(meter)]),
  ]
  const [one] = all
  if (one && all.length === 1) return one
  return {
    duration: (...measured) => {
      for (const each of all) each.duration(...measured)
    },
    firstChunk: (...measured) => {
      for (const each of all) each.firstChunk(...measured)
    },
    usage: (...measured) => {
      for (const each of all) each.usage(...measured)
    },
    noUsage: (...measured) => {
      for (const each of all) each.noUsage(...measured)
    },
  }
}

// The bounds that the conventions advise.
const seconds = Array.from({ length: 14 }, (_, index) => 2 ** index / 100)
const tokens = Array.from({ length: 14 }, (_, index) => 4 ** index)

/** https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-metrics/ as of 1.41 */
function named141(meter: Meter): GenAiMeters {
  const usage = tokensOf(meter, 'gen_ai.client.token.usage', 'Tokens used, by call')
  return {
    ...timesOf(meter, 'gen_ai.client.operation'),
    usage: (record, attributes) => {
      usage.record(inputOf(record), { ...attributes, 'gen_ai.token.type': 'input' })
      usage.record(record.outputTokens, { ...attributes, 'gen_ai.token.type': 'output' })
    },
    noUsage: () => {},
  }
}

/** What follows: a repository of its own, in development. */
function namedDev(meter: Meter): GenAiMeters {
  const operation = 'gen_ai.client.inference.operation'
  const input = tokensOf(meter, `${operation}.input_tokens`, 'Tokens of a call’s input')
  const output = tokensOf(meter, `${operation}.output_tokens`, 'Tokens of a call’s output')
  const sums = counted.map(({ name, of }) => ({
    of,
    counter: meter.createCounter(`gen_ai.client.inference.usage.${name}`, { unit: '{token}' }),
  }))
  const count = (record: Usage | null, attributes: Attributes) => {
    // Of what kind they were no provider says of all.
    const labels = { ...attributes, 'gen_ai.token.modality': 'unknown' }
    for (const { counter, of } of sums) counter.add(record ? of(record) : 0, labels)
  }
  return {
    ...timesOf(meter, 'gen_ai.client.inference'),
    usage: (record, attributes) => {
      input.record(inputOf(record), attributes)
      output.record(record.outputTokens, attributes)
      count(record, attributes)
    },
    noUsage: (attributes) => count(null, attributes),
  }
}

const counted: readonly { readonly name: string; readonly of: (record: Usage) => number }[] = [
  { name: 'input_tokens', of: inputOf },
  { name: 'output_tokens', of: ({ outputTokens }) => outputTokens },
  { name: 'cache_read.input_tokens', of: ({ cacheReadInputTokens }) => cacheReadInputTokens },
  { name: 'cache_write.input_tokens', of: ({ cacheWriteInputTokens }) => cacheWriteInputTokens },
  {
    name: 'reasoning.output_tokens',
    of: ({ metadata }) => {
      const { reasoning_output_tokens: reasoning } = metadata
      return typeof reasoning === 'number' ? reasoning : 0
    },
  },
]

/** With the cached ones, as the conventions count. */
function inputOf({ inputTokens, cacheReadInputTokens, cacheWriteInputTokens }: Usage): number {
  return inputTokens + cacheReadInputTokens + cacheWriteInputTokens
}

/** Both versions measure times alike, each under its name of a call. */
function timesOf(meter: Meter, call: string): Pick<GenAiMeters, 'duration' | 'firstChunk'> {
  const duration = secondsOf(meter, `${call}.duration`, 'Duration of calls')
  const description = 'Time until the first chunk of a stream came'
  const firstChunk = secondsOf(meter, `${call}.time_to_first_chunk`, description)
  return {
    duration: (value, attributes) => duration.record(value, attributes),
    firstChunk: (value, attributes) => firstChunk.record(value, attributes),
  }
}

function secondsOf(meter: Meter, name: string, description: string) {
  const advice = { explicitBucketBoundaries: seconds }
  return meter.createHistogram(name, { description, unit: 's', advice })
}

function tokensOf(meter: Meter, name: string, description: string) {
  const advice = { explicitBucketBoundaries: tokens }
  return meter.createHistogram(name, { description, unit: '{token}', advice })
}
