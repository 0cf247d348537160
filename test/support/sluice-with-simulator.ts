import { anthropic as realAnthropic, openai as realOpenai } from '../../src/index.ts'

export * from '../../src/index.ts'

const baseUrl = process.env.SIMULATOR_URL ?? 'http://127.0.0.1:9'

export const anthropic: typeof realAnthropic = (options) => realAnthropic({ baseUrl, ...options })
export const openai: typeof realOpenai = (options) => realOpenai({ baseUrl, ...options })
