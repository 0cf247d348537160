import { writeFileSync } from 'node:fs'
import { availableParallelism, cpus, loadavg, totalmem } from 'node:os'
import { parseArgs } from 'node:util'
import { messageOf } from '../src/core/errors.ts'
import type { FormatName } from '../src/core/records.ts'
import { compare } from './compare.ts'
import { rowsOf } from './rows.ts'
import { pinLoad, stopServers } from './server-process.ts'
import { table } from './table.ts'
import { workloads } from './workloads.ts'

const usage = `npm run bench -- [options]        Sluice between a fake upstream and a load generator, beside a raw node:http pipe
npm run bench -- sqlite-write     the write path of the SQLite store alone (its options: bench/sqlite-write.ts)

  --quick          one short round: a look, no figures to quote
  --only NAME      ${workloads.map(({ name }) => name).join(', ')}; several by comma
  --rounds N       5 without it; fewer for the workloads with slow streams
  --format NAME    anthropic_messages (the default), openai_chat, openai_responses
  --json FILE      all rows, and the machine
  --check          exit with 1 where a figure misses its "must" or a reply was wrong`

/** Nothing of ours goes on for longer, whatever hangs. */
const longest = 15 * 60_000

if (process.argv[2] === 'sqlite-write') {
  process.argv.splice(2, 1)
  await import('./sqlite-write.ts')
} else {
  try {
    await main()
  } catch (error) {
    console.error(messageOf(error))
    process.exitCode = 2
  }
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      quick: { type: 'boolean', default: false },
      only: { type: 'string' },
      rounds: { type: 'string' },
      format: { type: 'string', default: 'anthropic_messages' },
      json: { type: 'string' },
      check: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  if (values.help) return console.log(usage)
  const { quick, json, check } = values
  const rounds = Number(values.rounds ?? (quick ? 1 : 5))
  const format = formatOf(values.format)
  const chosen = chosenWorkloads(values.only)
  const load = loadavg()[0] ?? 0
  const machine = `${availableParallelism()} × ${cpus()[0]?.model ?? 'unknown CPU'}, ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.versions.node}, load before the run ${load.toFixed(2)}`
  pinLoad()
  console.log(`${format}, ${rounds} rounds\n${machine}`)
  const end = setTimeout(() => void stop(1), longest)
  process.once('SIGINT', () => void stop(130))
  try {
    const samples = await compare({
      workloads: chosen,
      rounds,
      format,
      seconds: quick ? 0.5 : 1.6,
      windowSeconds: quick ? 1 : 3,
      onSample: ({ name, unit }, target, { value, faults }) =>
        console.error(
          `${name} ${target}: ${value.toFixed(2)} ${unit}${faults[0] ? ` (${faults[0]})` : ''}`,
        ),
    })
    const rows = rowsOf(samples)
    console.log(`\n${table(rows)}`)
    if (json) writeFileSync(json, JSON.stringify({ format, rounds, machine, rows }, null, 2))
    if (check && rows.some(({ verdict }) => verdict === 'fail')) process.exitCode = 1
  } finally {
    clearTimeout(end)
    await stopServers()
  }
}

async function stop(code: number): Promise<void> {
  await stopServers()
  process.exit(code)
}

function formatOf(name: string): FormatName {
  if (name === 'anthropic_messages' || name === 'openai_chat' || name === 'openai_responses')
    return name
  throw new Error(`no format is named "${name}": see --help`)
}

function chosenWorkloads(only: string | undefined) {
  const names = only?.split(',')
  const chosen = workloads.filter(({ name }) => names?.includes(name) ?? true)
  const unknown = names?.find((name) => !workloads.some((workload) => workload.name === name))
  if (unknown !== undefined) throw new Error(`no workload is named "${unknown}": see --help`)
  return chosen
}
