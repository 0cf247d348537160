import type { Plugin } from '../core/plugin.ts'
import { promptCapturer } from './prompt-capturer.ts'
import { reasoningCapturer } from './reasoning-capturer.ts'
import { tokenCounter } from './token-counter.ts'
import { type ToolCallExtractorOptions, toolCallExtractor } from './tool-call-extractor.ts'

/** The four observers that nearly everyone wants: prompts, tokens, tool calls, reasoning. */
export const capturers = (options: ToolCallExtractorOptions = {}): Plugin[] => [
  promptCapturer(),
  tokenCounter(),
  toolCallExtractor(options),
  reasoningCapturer(),
]
