import { globSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

export const project: string = fileURLToPath(new URL('../../', import.meta.url))

/** What people read: paths within the project. */
export const documents: readonly string[] = [
  ...['README.md', 'AGENTS.md', 'CHANGELOG.md'],
  ...globSync('docs/**/*.md', { cwd: project }).sort(),
]

/** A fenced block of code. */
export interface DocBlock {
  /** `README.md § Start`: where to look for it. */
  readonly place: string
  readonly line: number
  /** What stands behind the opening fence. */
  readonly language: string
  readonly text: string
}

/** All fenced blocks of a document, in order. */
export function docBlocks(path: string): DocBlock[] {
  const blocks: DocBlock[] = []
  let section = ''
  let open: { line: number; language: string; indent: number; lines: string[] } | undefined
  for (const [index, line] of readDocument(path).split('\n').entries()) {
    const [, indent = '', language = ''] = /^( *)```+ *(.*)$/.exec(line) ?? []
    const isFence = /^ *```/.test(line)
    if (open && isFence) {
      const { lines, indent: _, ...rest } = open
      blocks.push({ place: `${path} § ${section}`, ...rest, text: lines.join('\n') })
      open = undefined
    } else if (open) open.lines.push(line.slice(open.indent))
    else if (isFence) open = { line: index + 1, language, indent: indent.length, lines: [] }
    else section = /^#+ (.*)$/.exec(line)?.[1] ?? section
  }
  if (open) throw new Error(`${path}:${open.line}: this block does not end`)
  return blocks
}

export function readDocument(path: string): string {
  return readFileSync(new URL(path, `file://${project}`), 'utf8')
}
