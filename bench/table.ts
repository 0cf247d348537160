import type { Row } from './rows.ts'

const columns = [
  'workload',
  'target',
  'median',
  '',
  'figure',
  'spread',
  'must',
  'aim',
  'result',
  'µs CPU/req',
  'wrong',
]

/** The rows as a table that Markdown, too, takes. */
export function table(rows: readonly Row[]): string {
  const lines = [columns, ...rows.map(cells)]
  const widths = columns.map((_, column) =>
    Math.max(...lines.map((line) => line[column]?.length ?? 0)),
  )
  const drawn = lines.map((line) => draw(line.map((cell, column) => pad(cell, column, widths))))
  const rule = draw(
    widths.map((width, column) =>
      isText(column) ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`,
    ),
  )
  return [drawn[0], rule, ...drawn.slice(1)].join('\n')
}

function cells({
  workload,
  target,
  value,
  unit,
  figure,
  judged,
  spread,
  goal,
  verdict,
  cpuUs,
  faults,
}: Row): string[] {
  const digits = value >= 100 ? 0 : 2
  return [
    workload,
    target,
    value.toFixed(digits),
    unit,
    figureText(figure, judged),
    isReference(target, judged) ? '' : `±${Math.round(spread * 100)} %`,
    goal ? figureText(goal.must, judged) : '',
    goal ? figureText(goal.aim, judged) : '',
    verdict === 'fail' ? 'FAIL' : (verdict ?? ''),
    cpuUs === null ? '' : cpuUs.toFixed(0),
    String(faults.length),
  ]
}

function figureText(figure: number, judged: Row['judged']): string {
  if (judged === 'ratio') return `${figure.toFixed(2)} × raw`
  return judged === 'added' ? `${figure >= 0 ? '+' : ''}${figure.toFixed(2)} ms` : figure.toFixed(0)
}

function isReference(target: string, judged: Row['judged']): boolean {
  return (judged === 'ratio' && target === 'raw') || (judged === 'added' && target === 'direct')
}

const isText = (column: number) => column < 2 || column === 3

function pad(cell: string, column: number, widths: readonly number[]): string {
  const width = widths[column] ?? 0
  return isText(column) ? cell.padEnd(width) : cell.padStart(width)
}

const draw = (line: readonly string[]) => `| ${line.join(' | ')} |`
