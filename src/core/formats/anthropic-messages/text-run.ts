import { inString, textRunOf } from '../text-run.ts'

/** Spaces at the end hide how long a text is. */
const delta = (index: string) =>
  String.raw`event: content_block_delta\ndata: \{"type":"content_block_delta","index":${index},"delta":\{"type":"text_delta","text":"${inString}"\} *\}`

export const textRun: RegExp = textRunOf({ first: delta(String.raw`(\d+)`), again: delta('\\1') })
