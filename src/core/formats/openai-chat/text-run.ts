import { inString, textRunOf } from '../text-run.ts'

/** Vendors differ in what stands before and behind the text; before it nothing may change. */
const before = String.raw`data: \{(?:"\w+":(?:null|\d+|"[^"\\\n]*"),)*"choices":\[\{(?:"\w+":(?:null|\d+),)*"delta":\{(?:"role":"assistant",)?`
const nulls = String.raw`(?:,"\w+":null)*`
const rest = String.raw`"content":"${inString}"${nulls}\}${nulls}\}\]${nulls}(?:,"obfuscation":"\w*")?\}`

export const textRun: RegExp = textRunOf({ first: `(${before})${rest}`, again: `\\1${rest}` })
