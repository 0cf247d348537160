import { inString, textRunOf } from '../text-run.ts'

const name = String.raw`event: response\.output_text\.delta\ndata: \{"type":"response\.output_text\.delta"`
const delta = `,"delta":"${inString}"`
const logprobs = String.raw`(?:,"logprobs":\[\])?`
const obfuscation = String.raw`(?:,"obfuscation":"\w*")?`
const number = String.raw`,"sequence_number":\d+`

/** As OpenAI sends it: members by name. */
const byName = (content: string, item: string, output: string) =>
  String.raw`${name}${content}${delta}${item}${logprobs}${obfuscation}${output}${number}\}`

/** As OpenAI documents it. */
const documented = (place: string) =>
  String.raw`${name}(?:${number})?${place}${delta}${logprobs}(?:${number})?${obfuscation}\}`

const item = String.raw`,"item_id":"[^"\\\n]*"`
const output = String.raw`,"output_index":\d+`
const content = String.raw`,"content_index":\d+`

export const textRun: RegExp = textRunOf(
  { first: byName(`(${content})`, `(${item})`, `(${output})`), again: byName('\\1', '\\2', '\\3') },
  { first: documented(`(${item}${output}${content})`), again: documented('\\4') },
)
