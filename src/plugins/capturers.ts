import type { Plugin } from '../core/plugin.ts'
import { promptCapturer } from './prompt-capturer.ts'
import { reasoningCapturer } from './reasoning-capturer.ts'
import { type TokenCounterOptions, tokenCounter } from './token-counter.ts'
import { type ToolCallExtractorOptions, toolCallExtractor } from './tool-call-extractor.ts'

export interface CapturersOptions extends ToolCallExtractorOptions, TokenCounterOptions {}

/** The four observers that nearly everyone wants: prompts, tokens, tool calls, reasoning. */
export const capturers = (options: CapturersOptions = {}): Plugin[] => [
  promptCapturer(),
  tokenCounter(options),
  toolCallExtractor(options),
  reasoningCapturer(),
]
