import type { Slices } from './chores.ts'
import { meta } from './meta.ts'
import type { StoreWriter } from './store-writer.ts'

/** Forgets names that nothing has any more, and tells other processes that numbers may mean something else. */
export async function sweep({ database, derived }: StoreWriter, slices: Slices): Promise<void> {
  const steps = [
    'DELETE FROM combos WHERE interceptions = 0',
    'DELETE FROM kinds WHERE sessions = 0',
    `DELETE FROM initiators WHERE key NOT IN (SELECT initiator FROM combos)
       AND key NOT IN (SELECT initiator FROM kinds)`,
    `DELETE FROM names WHERE key NOT IN (
       SELECT provider FROM combos UNION SELECT provider_name FROM combos
       UNION SELECT model FROM combos UNION SELECT client FROM combos
       UNION SELECT outcome FROM combos)
     AND NOT EXISTS (SELECT 1 FROM tool_uses WHERE tool = names.key)`,
  ].map((sql) => database.prepare(sql))
  for (const step of steps) {
    await slices.one(() => {
      if (step.run().changes === 0) return
      const facts = meta(database)
      facts.set('epoch', (facts.number('epoch') ?? 0) + 1)
      derived.forgetNames()
    })
  }
}
