import type { RecordOf } from '../../core/records.ts'

/** Tells of each type how many tokens there were; of none that there were none. */
export function countTokens(
  record: RecordOf<'token_usage'>,
  tell: (type: string, count: number) => void,
): void {
  if (record.inputTokens > 0) tell('input', record.inputTokens)
  if (record.outputTokens > 0) tell('output', record.outputTokens)
  if (record.cacheReadInputTokens > 0) tell('cache_read_input_tokens', record.cacheReadInputTokens)
  if (record.cacheWriteInputTokens > 0)
    tell('cache_write_input_tokens', record.cacheWriteInputTokens)
  for (const type of finerTypes) {
    const count = record.metadata[type]
    if (typeof count === 'number' && count > 0) tell(type, count)
  }
}

/** Parts of the above, but for the last one, which counts searches. */
const finerTypes: readonly string[] = [
  'reasoning_output_tokens',
  'audio_input_tokens',
  'audio_output_tokens',
  'cache_write_5m_input_tokens',
  'cache_write_1h_input_tokens',
  'web_search_requests',
]
