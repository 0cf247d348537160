import { parseArgs } from 'node:util'
import type { Report } from './rig.ts'
import { type Extent, scenarios } from './scenarios.ts'

const usage = `npm run test:crash -- [--kills N] [--between MS] [--outage S] [--away S] [--pace MS] [SCENARIO ...]
  SCENARIO   ${scenarios.map(({ name }) => name).join(', ')}; all without one
  --kills    of the gateway or a worker, 200 without it
  --between  longest time between two kills, 1500 without it
  --outage   seconds that the store is away or hangs, 120 without it
  --away     seconds in store-away, 600 without it
  --pace     milliseconds that a streamed reply takes while the store is away, 2000 without it`

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    kills: { type: 'string', default: '200' },
    between: { type: 'string', default: '1500' },
    outage: { type: 'string', default: '120' },
    away: { type: 'string', default: '600' },
    pace: { type: 'string', default: '2000' },
    help: { type: 'boolean', short: 'h' },
  },
})

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1))
if (values.help) console.log(usage)
else await main()

async function main(): Promise<void> {
  const extent: Extent = {
    kills: Number(values.kills),
    between: Number(values.between),
    outage: Number(values.outage) * 1000,
    away: Number(values.away) * 1000,
    pace: Number(values.pace),
  }
  const unknown = positionals.filter((name) => !scenarios.some((each) => each.name === name))
  if (unknown.length > 0) throw new Error(`no scenario: ${unknown.join(', ')}\n${usage}`)
  let losses = 0
  for (const { name, missing, run } of scenarios) {
    if (positionals.length > 0 && !positionals.includes(name)) continue
    const reason = missing?.()
    if (reason !== undefined) {
      console.log(`${name}: SKIPPED, ${reason}`)
      continue
    }
    const begin = performance.now()
    const report = await run(extent)
    losses += report.losses.length
    console.log(told(name, report, performance.now() - begin))
  }
  console.log(losses === 0 ? 'losses: 0' : `LOSSES: ${losses}`)
  process.exitCode = losses === 0 ? 0 : 1
}

function told(name: string, report: Report, ms: number): string {
  const { sent, whole, stored, released, releasedMissing, losses, outcomes, figures } = report
  const list = (facts: Readonly<Record<string, number>>) =>
    Object.entries(facts)
      .map(([fact, value]) => `${fact} ${Number.isInteger(value) ? value : value.toFixed(1)}`)
      .join(', ')
  return [
    `${name}: ${(ms / 1000).toFixed(0)} s, ${list(figures)}`,
    `  requests ${sent}, received whole ${whole}, stored ${stored} (${list(outcomes)})`,
    `  released unrecorded ${released}, of which not stored ${releasedMissing}; losses ${losses.length}`,
    ...losses.slice(0, 20).map((loss) => `  LOSS ${loss}`),
  ].join('\n')
}
