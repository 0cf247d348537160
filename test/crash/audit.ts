import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { Recorder, StoredInterception } from '../../src/core/recorder.ts'
import { type JournaledRecorder, journaled } from '../../src/plugins/journal.ts'
import { mongoRecorder } from '../../src/plugins/mongo-recorder.ts'
import { sqliteRecorder } from '../../src/plugins/sqlite-recorder.ts'
import type { GatewayUnderTest } from './gateway-under-test.ts'
import type { Load, Seen } from './load.ts'
import { endings, thoughts } from './request-mix.ts'

export interface Audit {
  readonly stored: number
  /** By outcome. */
  readonly outcomes: Readonly<Record<string, number>>
  /** Replies let go unrecorded, by the log. */
  readonly released: number
  /** Of those that were received whole: not or not wholly in the store. */
  readonly releasedMissing: number
  /** What should not be, in words. */
  readonly losses: readonly string[]
}

/**
 * Opens the store that dead gateways have left, has what is open ended, and compares with what the clients know.
 * `killed`: something was, so that interceptions may be aborted.
 */
export async function audit(
  { seen, hung }: Load,
  gateway: GatewayUnderTest,
  { killed }: { killed: boolean },
): Promise<Audit> {
  const stored = await storedBy(gateway)
  const losses = hung > 0 ? [`${hung} clients were left to wait`] : []
  let releasedMissing = 0
  for (const [id, each] of seen) {
    const fault = faultOf(each, stored.get(id), killed)
    if (fault === undefined) continue
    if (gateway.released.has(id)) releasedMissing++
    else losses.push(`${id} (${each.format}, ${each.fate}): ${fault}`)
  }
  for (const [id, { end }] of stored) if (!end) losses.push(`${id}: it is still open`)
  const outcomes = Object.groupBy(stored.values(), ({ end }) => end?.outcome ?? 'open')
  const counts = Object.entries(outcomes).map(([name, list]) => [name, list?.length ?? 0])
  return {
    stored: stored.size,
    outcomes: Object.fromEntries(counts),
    released: gateway.released.size,
    releasedMissing,
    losses,
  }
}

function faultOf(
  { fate, whole, format, prompt }: Seen,
  stored: StoredInterception | undefined,
  killed: boolean,
): string | undefined {
  if (!stored) return whole ? 'it was received whole and is not in the store' : undefined
  const { end } = stored
  if (!end) return 'it is still open'
  const { outcome } = end
  const aborted = killed && !whole && outcome === 'aborted'
  if (!aborted && !endings[fate].includes(outcome)) return `it ended as ${outcome}`
  if (!whole) return killed || fate !== 'answered' ? undefined : 'its reply was cut by nobody'
  if (end.reaped) return 'the reaper ended it though its end was recorded'
  if (stored.userPrompts.length !== 1) return `it has ${stored.userPrompts.length} prompts`
  if (stored.userPrompts[0]?.prompt !== prompt) return 'it has another prompt'
  if (fate === 'refused') return undefined
  return answerFault(stored, thoughts[format])
}

function answerFault(
  { tokenUsages, toolUsages, modelThoughts, userPrompts, end }: StoredInterception,
  expectedThoughts: number,
): string | undefined {
  if (tokenUsages.length !== 1) return `it has ${tokenUsages.length} token usages`
  if (!((tokenUsages[0]?.outputTokens ?? 0) > 0)) return 'it has no final usage'
  if (toolUsages.length !== 1) return `it has ${toolUsages.length} tool calls`
  if (toolUsages[0]?.tool !== 'get_weather') return 'it has another tool call'
  if (modelThoughts.length !== expectedThoughts) return `it has ${modelThoughts.length} thoughts`
  const order = [...userPrompts, ...modelThoughts, ...toolUsages].map(({ seq }) => seq)
  if (new Set(order).size !== order.length) return 'two of its records have one place'
  const last = (end as { seq?: number } | null)?.seq
  if (last !== undefined && last < Math.max(...order)) return 'its end is not its last record'
  return undefined
}

async function storedBy({
  store,
  folder,
}: GatewayUnderTest): Promise<Map<string, StoredInterception>> {
  if (!store.startsWith('mongodb'))
    return whenOpen(sqliteRecorder({ path: store.slice('sqlite:'.length) }), async () => {})
  const dir = join(folder, 'sluice-data', 'journal')
  const recorder = journaled(mongoRecorder({ url: store, deadAfterMs: 0 }), { dir })
  return whenOpen(recorder, () => delivered(recorder, dir))
}

async function whenOpen(
  recorder: Recorder,
  ready: () => Promise<void>,
): Promise<Map<string, StoredInterception>> {
  await recorder.open()
  try {
    await ready()
    await recorder.reap?.([])
    return await all(recorder)
  } finally {
    await recorder.close()
  }
}

/** What dead gateways left in the journal is in the store. */
async function delivered(recorder: JournaledRecorder, dir: string): Promise<void> {
  const isOpen = () => recorder.interception('').then(yes, no)
  while (!(await isOpen())) await pause(50)
  // Their files go when they are empty; ours stays.
  const files = () => readdirSync(dir).filter((name) => name.endsWith('.journal')).length
  while (recorder.journalRecords > 0 || files() > 1) await pause(50)
}

const yes = () => true
const no = () => false

async function all(recorder: Recorder): Promise<Map<string, StoredInterception>> {
  const found = new Map<string, StoredInterception>()
  for (let offset = 0; ; offset += 1000) {
    const { results } = await recorder.interceptions({ running: true, limit: 1000, offset })
    for (const each of results) found.set(each.id, each)
    if (results.length < 1000) return found
  }
}
